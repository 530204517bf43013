"""What the stand-in sends is proven, read and keyed as what it is (housecallpro.md §11)."""

from __future__ import annotations

from datetime import UTC, datetime

from changeover.housecallpro.webhooks import Family, dedupe_key, is_ping, read, signed
from plugins.housecallpro import DEV, catching, receiver

__all__ = ["catching", "receiver"]


def test_every_event_of_a_moved_job_is_proven_and_names_the_job(bench, receiver):
    bench.service.listen(receiver.url, duplicate=True)
    job = bench.service.job()
    bench.service.act(job, "reschedule", start="2026-03-05T17:15:00Z")
    bench.service.settle()
    ping, *posts = receiver.posts
    assert is_ping(ping.raw)
    now, keys = datetime.now(UTC), set()
    for post in posts:
        stamp, signature = post.headers["Api-Timestamp"], post.headers["Api-Signature"]
        assert signed(stamp, signature, post.raw, [DEV.webhook_secret], now)
        assert not signed(stamp, signature, post.raw + b" ", [DEV.webhook_secret], now)
        found = read(post.raw)
        assert found is not None
        assert (found.company_id, found.family is Family.OTHER) == (DEV.company_id, found.event.startswith("customer"))
        assert found.family is Family.OTHER or found.job_id == job["id"]
        keys.add(dedupe_key(found, stamp, post.raw))
    assert len(posts) >= 10
    assert len(keys) == len(posts) / 2
