"""The API's bodies as data: what may be asked and what is answered; it decides nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _whole(value: object) -> object:
    """To JSON 50.0 is a whole number as well."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Number = Annotated[int, Field(ge=1, le=10_000, description="Links and details at most."), BeforeValidator(_whole)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class RecordBody(_Body):
    """Which row of Reservations."""

    recordId: Annotated[str, Field(max_length=200, description="Id of a row of Reservations.")]  # noqa: N815 - the API's


class ReconcileBody(_Body):
    """How to look for jobs that people made."""

    mode: Annotated[Literal["dry_run", "execute"], Field(description="`execute` links what is sure.")] = "dry_run"
    limit: _Number = 50


class RunBody(_Body):
    """What to run: one automation by its name, or the whole cycle."""

    automation: Annotated[str | None, Field(max_length=80, description="Name of an automation.")] = None


class JobAnswer(BaseModel):
    """What became of a row's job."""

    success: Literal[True]
    environment: Literal["dev", "prod"]
    jobId: str | None  # noqa: N815
    appointmentId: str | None  # noqa: N815
    scheduledTime: Annotated[str | None, Field(description="Start in UTC, with Z.")]  # noqa: N815
    serviceName: Annotated[str | None, Field(description="The line that cleaners read.")]  # noqa: N815
    syncStatus: str | None  # noqa: N815
    syncDetails: str | None  # noqa: N815


class FailureAnswer(BaseModel):
    """Why nothing was done."""

    success: Literal[False]
    code: Annotated[str, Field(description="A stable word.")]
    error: Annotated[str, Field(description="One plain sentence.")]
    request_id: str


class AcceptedAnswer(BaseModel):
    """Where to look for what will come of it."""

    success: Literal[True]
    environment: Literal["dev", "prod"]
    id: str


class RunError(BaseModel):
    """The first thing that went wrong."""

    code: str
    message: str | None


class RunPart(BaseModel):
    """One automation's run. Instants are ISO, in UTC."""

    id: str
    automation: str
    state: str
    dryRun: bool  # noqa: N815
    startedAt: str | None  # noqa: N815
    endedAt: str | None  # noqa: N815
    counters: dict[str, object]
    error: RunError | None


class RunAnswer(BaseModel):
    """A run, or a cycle with its runs. `result` is what a search for links found."""

    success: Literal[True]
    environment: Literal["dev", "prod"]
    id: str
    state: str
    runs: list[RunPart]
    result: dict[str, object] | None
