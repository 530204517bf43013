"""`python -m changeover.settings`: prints `.env.example`; with `page`, the manual's page of settings."""

import sys

from changeover.settings.pages import env_example, page

sys.stdout.write(page() if sys.argv[1:] == ["page"] else env_example())
