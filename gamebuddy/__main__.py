"""Where `gamebuddy` and `python -m gamebuddy` begin."""


def main() -> None:
    """Run a command.

    A worker of the server imports this file before it can answer its parent, who would take it for dead after some
    seconds: so nothing heavy is imported above.
    """
    from gamebuddy.cli import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()
