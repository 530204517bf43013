"""`changeover airtable`: set a base up, and compare it with what the program needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from changeover.cli.opening import open_settings
from changeover.cli.say import EnvOption, JsonOption, refuse, show, show_json
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.airtable.client import AirtableClient
    from changeover.airtable.schema import BaseSpec
    from changeover.settings import Settings

app = typer.Typer(help="The base in Airtable.", no_args_is_help=True)


@app.command()
def init(
    env: EnvOption,
    add_options: Annotated[
        bool, typer.Option("--add-options", help="Also add missing select options, by a temporary row.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create the tables, fields and first rows that are missing; change and delete nothing."""
    from changeover.airtable import schema

    settings = open_settings(env, as_json=as_json, level="WARNING")
    with _base(settings, as_json=as_json) as (client, spec):
        report = schema.init(client, spec, env, add_options=add_options)
    if as_json:
        show_json(
            {
                "created": list(report.created),
                "options": list(report.options),
                "missing_options": list(report.missing_options),
                "manual": list(report.manual),
            }
        )
        return
    if not report.created and not report.options:
        show("Nothing was missing that can be created.")
    for line in report.lines():
        show(line)


@app.command()
def check(env: EnvOption, as_json: JsonOption = False) -> None:
    """Compare the base with the tables, fields and options the program needs; write nothing."""
    from changeover.airtable import schema

    settings = open_settings(env, as_json=as_json, level="WARNING")
    with _base(settings, as_json=as_json) as (client, spec):
        findings = schema.check(client, spec)
        if not any(each.table == "Environment" and not each.field for each in findings):
            findings += schema.marker(client, env)
    stopped = schema.blocked(findings)
    if as_json:
        listed = [
            {"kind": str(each.kind), "table": each.table, "field": each.field, "text": each.text, "error": each.error}
            for each in findings
        ]
        show_json({"findings": listed, "stopped": sorted(stopped)})
    else:
        for each in findings:
            show(str(each))
        show(f"These automations do not run: {', '.join(stopped)}" if stopped else "The base has all that is needed.")
    raise typer.Exit(Exit.CONFIGURATION if any(each.error for each in findings) else Exit.OK)


@contextmanager
def _base(settings: Settings, *, as_json: bool) -> Iterator[tuple[AirtableClient, BaseSpec]]:
    """The base's client and schema file; what the base refuses becomes an exit code."""
    from changeover import rulefiles
    from changeover.airtable import schema
    from changeover.airtable.errors import AirtableError, Halted, WrongBase
    from changeover.doctor.base import connected
    from changeover.engine.base import failure_of

    try:
        with connected(settings) as (client, _):
            yield client, schema.load(rulefiles.find("airtable_base.json", settings.config))
    except WrongBase:
        text = f"The base's Environment table does not name {settings.environment} alone: this is another base."
        raise refuse(text, as_json=as_json) from None
    except Halted:
        text = f"{settings.environment} is stopped; changeover resume lifts the stop."
        raise refuse(text, as_json=as_json, code=Exit.STOPPED) from None
    except AirtableError as error:
        failure = failure_of(error)
        code = Exit.UNREACHABLE if failure.unreachable else Exit.FAILED
        if failure.configuration:
            code = Exit.CONFIGURATION
        raise refuse(f"{failure.text}.", as_json=as_json, code=code) from None
