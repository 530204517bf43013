"""`python -m changeover.cli`: the program where its entry point is not on the path."""

from changeover.cli.main import main

raise SystemExit(main())
