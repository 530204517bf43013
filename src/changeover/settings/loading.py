"""Turns an environment's name into its Settings, or into everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from changeover.settings import isolation
from changeover.settings.model import NAMES, SECRETS, Settings
from changeover.settings.reading import (
    ConfigurationError,
    EnvironmentName,
    Given,
    Place,
    Problem,
    foreign,
    read,
)

Model = TypeVar("Model", bound=BaseModel)

REQUIRED = ("AIRTABLE_API_KEY", "AIRTABLE_BASE_ID")
REQUIRED_WITH_HCP = ("HCP_API_KEY", "HCP_STR_NEXT_GUEST_JOB_TYPE_ID")


def load(env: str, process_env: Mapping[str, str]) -> Settings:
    """The settings of `env`, checked (S-3) and proved apart from the other environment's (S-4).

    `process_env` gives CHANGEOVER_CONFIG, CHANGEOVER_HOME and the overrides `NAME_DEV`/`NAME_PROD`.
    Raises ConfigurationError with every problem found; nothing outside the machine is called.
    """
    if env not in tuple(EnvironmentName):
        raise ConfigurationError((Problem("--env", "must be exactly dev or prod"),))
    environment = EnvironmentName(env)
    place = Place(folder(process_env, "CHANGEOVER_CONFIG", "config"), process_env)
    home = folder(process_env, "CHANGEOVER_HOME", "var")
    problems = home_problems(home)
    given = _read(environment, place)
    missing = _missing(environment, place, given)
    parts = {
        "environment": environment,
        "home": home,
        "config": place.config,
        "unknown": given.unknown,
        "dropped": foreign(environment, process_env, NAMES),
    }
    settings, wrong = validated(Settings, given, parts, {problem.name for problem in missing})
    verdict = isolation.check(environment, place, home, given.values)
    problems += [*given.problems, *missing, *wrong, *verdict.problems]
    if problems or settings is None:
        raise ConfigurationError(tuple(problems))
    return settings.model_copy(update={"isolation_unproven": verdict.unproven})


def drop_foreign(settings: Settings, process_env: MutableMapping[str, str]) -> None:
    """Takes the other environment's variables out of the process, so that no child inherits them (S-5)."""
    for name in settings.dropped:
        process_env.pop(name, None)


def folder(process_env: Mapping[str, str], name: str, default: str) -> Path:
    """A folder that a variable of the process names."""
    return Path(process_env.get(name) or default).expanduser().absolute()


def home_problems(home: Path) -> list[Problem]:
    """What is wrong with the place of the data folders."""
    package = Path(__file__).resolve().parents[2]
    if home.resolve().is_relative_to(package):
        return [Problem("CHANGEOVER_HOME", "must not be inside the program's source tree")]
    return []


def _read(environment: EnvironmentName, place: Place) -> Given:
    try:
        return read(environment, place, NAMES, SECRETS)
    except OSError:
        return Given({}, (), (Problem(place.file(environment).name, "cannot be read by this user"),))


def _missing(environment: EnvironmentName, place: Place, given: Given) -> list[Problem]:
    with_hcp = any(name.startswith("HCP_") and value for name, value in given.values.items())
    unreadable = {problem.name.removesuffix("_FILE") for problem in given.problems}
    file = place.file(environment)
    where = file.name if file.exists() else f"{file.name} (there is no such file in CHANGEOVER_CONFIG)"
    return [
        Problem(name, f"is missing or blank; set it in {where}")
        for name in (*REQUIRED, *(REQUIRED_WITH_HCP if with_hcp else ()))
        if not given.values.get(name) and name not in unreadable
    ]


def validated(
    model: type[Model], given: Given, parts: Mapping[str, object], missing: set[str]
) -> tuple[Model | None, list[Problem]]:
    """The settings as a model, or what is wrong with their shapes, names in `missing` left out (S-3)."""
    values = {name.lower(): value for name, value in given.values.items() if value}
    try:
        return model.model_validate({**values, **parts}), []
    except ValidationError as error:
        # `input` holds the value: it is left out, and the message alone says what is wrong.
        found = [
            Problem(str(each["loc"][0]).upper(), each["msg"].removeprefix("Value error, "))
            for each in error.errors(include_url=False, include_input=False, include_context=False)
            if each["type"] != "missing"
        ]
        return None, [problem for problem in found if problem.name not in missing]
