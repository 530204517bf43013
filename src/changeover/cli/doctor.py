"""`changeover doctor`: one line per check, and what to do."""

from __future__ import annotations

import typer

from changeover.cli.opening import open_settings
from changeover.cli.say import EnvOption, JsonOption, show, show_json
from changeover.exits import Exit


def doctor(env: EnvOption, as_json: JsonOption = False) -> None:
    """Check all that the environment needs: exit 0, 2 on warnings, 4 on failures."""
    from changeover.doctor import Level, examine

    settings = open_settings(env, as_json=as_json, level="CRITICAL")
    results = examine(settings)
    worst = max((each.level for each in results), key=tuple(Level).index)
    if as_json:
        listed = [{"check": each.check, "level": str(each.level), "text": each.text, "do": each.do} for each in results]
        show_json({"environment": env, "level": str(worst), "checks": listed})
    else:
        for each in results:
            show(f"{each.level:<4}  {each.check:<12} {each.text}" + (f" → {each.do}" if each.do else ""))
    raise typer.Exit({Level.OK: Exit.OK, Level.WARN: Exit.PARTIAL, Level.FAIL: Exit.CONFIGURATION}[worst])
