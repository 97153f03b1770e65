"""A short fault run, as `make faults` does it for longer; and that it notices when something is wrong."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it finds the workers of a node in /proc")

ROOT = Path(__file__).parents[2]
PATIENCE = 500  # seconds; it starts and kills a good many processes


def fault_run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bench.faults", "--minutes", "0.25", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_whatever_breaks_nobody_loses_an_event() -> None:
    done = fault_run()
    assert done.returncode == 0, done.stdout + done.stderr
    for harm in ("crashes of PostgreSQL", "listeners killed", "frozen", "kill -9", "readers cut", "notifications lost"):
        assert harm in done.stdout


@pytest.mark.parametrize(
    "broken",
    ["who-comes-back-is-not-told-what-he-missed", "a-listener-that-comes-back-does-not-read-what-it-missed"],
)
def test_the_run_notices_what_is_broken(broken: str) -> None:
    server = shlex.join([sys.executable, str(Path(__file__).with_name("broken.py")), broken])
    done = fault_run("--workers", "1", "--server", server)
    assert done.returncode == 1, done.stdout + done.stderr
    assert " lost, 0 doubled, in order" in done.stdout
