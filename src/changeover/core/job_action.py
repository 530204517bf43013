"""What people can ask for a stay's job by button or API (§13 of the rules of jobs); it does none of it."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What can be asked for a row."""

    CREATE = "create-job"
    UPDATE = "update-schedule"
    DELETE = "delete-schedule"
    LINE = "update-service-line"
