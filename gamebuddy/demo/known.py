"""The players of the demo world that everybody may sign in as, and their password."""

KNOWN = ("nika", "max", "moderator", "admin")
PASSWORD = "gamebuddy-demo"  # noqa: S105 - known on purpose; development on loopback only
