"""The command line: parses, asks, shows; what is done is done elsewhere. Heavy imports stand inside the commands."""

from changeover.cli.main import main

__all__ = ["main"]
