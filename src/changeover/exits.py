"""The exit codes of every command (C-20 … C-26), as names."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    PARTIAL = 2
    FAILED = 3
    CONFIGURATION = 4
    LOCKED = 5
    STOPPED = 6
    UNREACHABLE = 75
