"""Signed webhooks about jobs as whole requests, each another change of one of some jobs; it sends nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

JOBS = 200
"""Of so many jobs one change after the other is told."""


def hook(number: int, company: str) -> bytes:
    """The body of the `number`-th event: a whole job, as long as one with two lines of notes and a visit is."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    who = {"id": f"pro_{number % 7:032x}", "first_name": "Robin", "last_name": "Example", "role": "field tech"}
    place = {"street": "1 Example Rd", "street_line_2": None, "city": "Mesa", "state": "AZ", "zip": "85201"}
    job = {
        "id": f"job_{number % JOBS:032x}",
        "invoice_number": str(1000 + number % JOBS),
        "description": "Turnover STR Next Guest March 9",
        "customer": {
            "id": f"cus_{number % 50:032x}",
            "first_name": "Casey",
            "last_name": "Example",
            "email": "casey@owners.example.test",
            "mobile_number": "4805550100",
            "notifications_enabled": True,
            "company_id": company,
            "tags": [],
        },
        "address": {"id": f"adr_{number % 50:032x}", "type": "service", **place, "country": "US"},
        "notes": [
            {"id": f"nte_{number % JOBS:032x}", "content": f"Changeover ref rec{number % JOBS:014d}"},
            {"id": f"nte_{number % JOBS + JOBS:032x}", "content": "Please check the patio lights."},
        ],
        "work_status": "scheduled",
        "work_timestamps": {"on_my_way_at": None, "started_at": None, "completed_at": None},
        "schedule": {"scheduled_start": at, "scheduled_end": at, "arrival_window": 0},
        "total_amount": 14500 + number,
        "outstanding_balance": 14500 + number,
        "assigned_employees": [who],
        "tags": [],
        "job_fields": {"job_type": {"id": f"jbt_{1:032x}", "name": "STR Next Guest"}, "business_unit": None},
        "created_at": at,
        "updated_at": at,
        "company_id": company,
        "appointments": [
            {
                "id": f"appt_{number % JOBS:032x}",
                "start_time": at,
                "end_time": at,
                "dispatched_employees_ids": [who["id"]],
            }
        ],
    }
    return json.dumps(
        {"event": "job.updated", "event_occurred_at": at, "company_id": company, "job": job}, separators=(",", ":")
    ).encode()


def signed_request(url: str, company: str, secret: str, number: int) -> bytes:
    """A whole POST of it; its signature is good for some minutes from now on (HC-81)."""
    body, stamp, parts = hook(number, company), str(int(time.time())), urlsplit(url)
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nApi-Timestamp: {stamp}\r\nApi-Signature: {digest}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
