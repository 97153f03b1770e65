"""The set-up script, as far as it can be tried without setting anything up."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "bootstrap"


def python(folder: Path, name: str, version: tuple[int, int]) -> Path:
    """Make something that answers like a Python of this version."""
    program = folder / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(
        f'#!/bin/sh\ncase "$2" in *version_info*) exit {int(version < (3, 12))} ;; *) echo "{program}" ;; esac\n'
    )
    program.chmod(0o755)
    return program


def chosen(**environment: str) -> str:
    done = subprocess.run(
        ["/bin/sh", str(SCRIPT), "--which-python"], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_new_python_on_the_path_is_used(tmp_path: Path) -> None:
    new = python(tmp_path / "bin", "python3.13", (3, 13))
    assert chosen(PATH=f"{tmp_path}/bin:/usr/bin:/bin", HOME=str(tmp_path)) == str(new)


def test_where_python3_is_too_old_a_newer_one_of_pyenv_is_found(tmp_path: Path) -> None:
    python(tmp_path / "bin", "python3", (3, 11))
    new = python(tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin", "python3", (3, 12))
    assert chosen(PATH=f"{tmp_path}/bin:/bin", HOME=str(tmp_path)) == str(new)


def test_pyenv_is_found_beside_its_shims_when_home_is_empty(tmp_path: Path) -> None:
    python(tmp_path / "pyenv" / "shims", "python3", (3, 11))
    new = python(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin", "python3", (3, 13))
    assert chosen(PATH=f"{tmp_path}/pyenv/shims:/bin") == str(new)


def test_pythons_that_are_too_old_are_not_taken(tmp_path: Path) -> None:
    old = python(tmp_path / "bin", "python3", (3, 11))
    assert chosen(PATH=f"{tmp_path}/bin:{os.defpath}", HOME=str(tmp_path)) != str(old)
