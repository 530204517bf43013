"""Fetches an attachment that lies in the mail service's store, under the rules for feeds (CM-20, X-6)."""

from __future__ import annotations

import asyncio

from changeover.settings import Settings
from changeover.sources.ics.fetch import Fetched, FetchFailed, FetchSettings, Retriable, Validators, open_fetcher
from changeover.sources.mail.mail import Attachment


class NotFetched(Exception):
    """A stored attachment that no further try will bring; the message is safe to show."""


def fetch(attachment: Attachment, settings: Settings) -> bytes:
    """Its bytes, as many as were announced. Raises NotFetched, and Retriable for what may pass."""
    url = attachment.url or ""
    if not (url.lower().startswith("https://") or settings.allow_private_feeds):
        raise NotFetched("a stored attachment cannot be fetched: not https")
    limits = FetchSettings(
        timeout_seconds=settings.feed_timeout_seconds,
        attempts=1,  # the mail's work is tried again as a whole
        allow_private=settings.allow_private_feeds,
        start_jitter_seconds=0.0,
    )
    try:
        body = asyncio.run(_get(url, limits))
    except Retriable:
        raise
    except (FetchFailed, ValueError) as failure:
        cause = failure.cause if isinstance(failure, FetchFailed) else "malformed URL"
        message = f"a stored attachment cannot be fetched: {cause}"
        raise NotFetched(message) from None
    if attachment.size is not None and len(body) != attachment.size:
        raise Retriable("cut off")
    return body


async def _get(url: str, limits: FetchSettings) -> bytes:
    async with open_fetcher(limits) as fetcher:
        return await fetcher.fetch(url, Validators(), _body)


async def _body(fetched: Fetched) -> bytes:
    return fetched.body or b""
