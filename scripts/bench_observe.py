"""Fetches, reads and decides as a cycle does, remembers the calendars, writes nothing outside; prints the seconds."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from changeover import rulefiles
from changeover.core.reconcile import reconcile
from changeover.engine import knowledge
from changeover.engine.rules import rules_of
from changeover.ops import logging
from changeover.ops.redaction import Redactor
from changeover.settings import load
from changeover.sources.ics import platforms
from changeover.sources.ics.feeds import FeedRow, feed_configs
from changeover.sources.ics.fetch import FetchSettings
from changeover.sources.ics.observe import observe
from changeover.store.database import Database
from changeover.store.feeds import StoredFeeds, save

settings = load("dev", os.environ)
wanted = logging.Logging("bench", "dev", settings.folder / "logs", terminal_level="WARNING")
logging.configure(wanted, Redactor(settings.secret_values))
db = Database(settings.state_url)
rules = rules_of(settings, rulefiles.find("schedule.toml", settings.config))
words = platforms.load(rulefiles.find("platforms.toml", settings.config))
now = datetime.now(UTC)
began = time.perf_counter()
with db.read() as connection:
    known = knowledge.load(connection)
rows = [FeedRow(f.record_id, f.url, f.status, f.properties, f.entry_source, f.closed_means) for f in known.feeds]
fetch = FetchSettings(allow_private=True, start_jitter_seconds=0.0)
results = asyncio.run(
    observe(feed_configs(rows, {}), StoredFeeds(db), now=now, rules=rules, settings=fetch, platforms=words)
)
reconcile(known.known, [each.batch for each in results if each.batch is not None], now, rules)
with db.begin() as connection:
    save(connection, [each.memory for each in results if each.memory is not None])
sys.stdout.write(f"{time.perf_counter() - began}\n")
