"""Delivery: what a plan wants written, stored with the plan and sent until every write has its receipt."""

from changeover.airtable.deliver.context import Delays, Delivery, Progress
from changeover.airtable.deliver.enqueue import enqueue
from changeover.airtable.deliver.send import send_next
from changeover.store.deliveries import Failure, Phase, Write, failed, open_runs, pending

__all__ = [
    "Delays",
    "Delivery",
    "Failure",
    "Phase",
    "Progress",
    "Write",
    "enqueue",
    "failed",
    "open_runs",
    "pending",
    "send_next",
]
