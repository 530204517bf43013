"""Sends the API what its own description allows and forbids, thousands of times; needs schemathesis, not the tests.

    .venv/bin/pip install schemathesis && .venv/bin/python scripts/fuzz_api.py [--examples N]

A server of its own is started over empty stores; no worker runs, so nothing that is asked for is done.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

KEYS = {"dev": "dev-fuzz-key-0001", "prod": "prd-fuzz-key-0001"}
PROGRAM = [sys.executable, "-m", "changeover.cli", "serve", "--bind", "127.0.0.1:0", "--json"]


def main() -> int:
    """Exit code of schemathesis: 0 when every answer was as it is described."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=500, help="for each operation")
    examples: int = options.parse_args().examples
    if find_spec("schemathesis") is None:
        sys.stderr.write("schemathesis is not installed here: .venv/bin/pip install schemathesis\n")
        return 4
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(PROGRAM, env=_environment(Path(folder)), stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
        try:
            assert server.stdout is not None  # noqa: S101 - for the type checker
            return _fuzz(str(json.loads(server.stdout.readline())["url"]), examples)
        finally:
            server.terminate()
            server.wait(60)


def _environment(folder: Path) -> dict[str, str]:
    config = folder / "config"
    config.mkdir()
    for env, key in KEYS.items():
        (config / f"{env}.env").write_text(f"API_KEY={key}\n")
    return {**os.environ, "CHANGEOVER_CONFIG": str(config), "CHANGEOVER_HOME": str(folder / "var")}


def _fuzz(url: str, examples: int) -> int:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/openapi.json", "--url", url]
    command += ["-H", f"X-API-Key: {KEYS['dev']}", "-n", str(examples), "--checks", "all"]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - with our own words


if __name__ == "__main__":
    sys.exit(main())
