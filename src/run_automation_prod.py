#!/usr/bin/env python3
"""One cycle of the prod environment; nothing on the command line can make it another one."""

from changeover.cli.cycle import main

raise SystemExit(main("prod"))
