"""The short-lived child that reads both environments' files and prints the names of what they share, never a value."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from changeover.settings.identity import identifying, parts
from changeover.settings.isolation import UNREADABLE
from changeover.settings.model import NAMES, SECRETS
from changeover.settings.reading import EnvironmentName, Place, read


def shared(environment: EnvironmentName, place: Place, home: Path) -> list[str]:
    """Names whose values the two environments have in common. Raises PermissionError if a file may not be read."""
    found = {
        each: identifying(each, home, read(each, place, NAMES, SECRETS).values)
        for each in (environment, environment.other)
    }
    own, other = found[environment], found[environment.other]
    return [name for name in own if name in other and parts(own[name]) & parts(other[name])]


def main() -> int:
    environment, config, home = sys.argv[1:4]
    place = Place(Path(config), dict(os.environ))
    try:
        sys.stdout.write(json.dumps(shared(EnvironmentName(environment), place, Path(home))))
    except OSError:
        return UNREADABLE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
