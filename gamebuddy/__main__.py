"""`python -m gamebuddy` is `gamebuddy`."""

from gamebuddy.cli import app

app()
