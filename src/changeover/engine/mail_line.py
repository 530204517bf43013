"""Mails as a kind of work of the worker's: from their queue to the desk; what a mail means is decided there."""

from __future__ import annotations

from functools import partial

from changeover.engine import mails, names
from changeover.engine.executing import Listening
from changeover.engine.lines import POLL_SECONDS, Busy, EventLine
from changeover.engine.mails import Again, Desk
from changeover.ops import logging
from changeover.store.events import Event, EventKind


class MailLine(EventLine):
    """The mails of one environment, `at_once` of them at a time."""

    workflow = names.MAIL_WORKFLOW
    kind = EventKind.MAIL

    def __init__(self, desk: Desk, at_once: int) -> None:
        super().__init__(desk.database, Listening(names.MAIL_QUEUE, at_once, POLL_SECONDS))
        self._desk = desk

    def bind(self, busy: Busy | None) -> None:
        from changeover.engine import workflows

        workflows.bind_mails(None if busy is None else partial(self._work, busy))

    def named(self, event_id: str, attempt: int = 1) -> str:
        return names.mail(event_id, attempt)

    def enqueue(self, event: Event) -> None:
        from dbos import DBOS

        from changeover.engine import workflows

        DBOS.enqueue_workflow(names.MAIL_QUEUE, workflows.mail, event.id)

    def give_up(self, event: Event, reason: str) -> None:
        mails.give_up(self._desk, event, reason)

    def _work(self, busy: Busy, event_id: str) -> Again:
        with busy, logging.about(event_id=event_id):
            return mails.work(self._desk, event_id)
