"""Decides which mails are accepted, and for which supplier (CM-16 … CM-18); it authenticates nobody (X-2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from changeover.sources.csv.suppliers import Authentication, MailRule, Supplier
from changeover.sources.mail.mail import Envelope, Mail, Verdict

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"?')
_ANGLE = re.compile(r"<([^<>]*)>")
_BARE = re.compile(r"[^\s<>,;()]+@[^\s<>,;()]+")


class Acceptance(StrEnum):
    """Applied; not a supplier's; a supplier's, but perhaps forged."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a mail, and why; `supplier` is whose it is, `reason` quotes nothing of it."""

    acceptance: Acceptance
    supplier: Supplier | None = None
    reason: str = ""


def judge(mail: Mail, suppliers: Iterable[Supplier]) -> Ruling:
    """The first supplier whose every key matches wins; no word in subject or body lets a mail past them (CM-17)."""
    senders = [each.casefold() for each in (*_addresses(mail.headers.get("from", ())), mail.envelope.sender)]
    subject = mail.header("subject").casefold()
    reason = "no supplier's address"
    for supplier in suppliers:
        rule = supplier.mail
        if rule is None or not any(rule.from_contains in address for address in senders):
            continue
        if rule.subject_contains not in subject:
            reason = "no supplier's subject"
            continue
        doubt = _doubt(mail.envelope, rule)
        return Ruling(Acceptance.HELD if doubt else Acceptance.ACCEPTED, supplier, doubt)
    return Ruling(Acceptance.IGNORED, None, reason)


def _doubt(envelope: Envelope, rule: MailRule) -> str:
    """Why its origin is doubtful; empty where it is not (CM-18)."""
    failed = {
        "SPF fail": envelope.spf == "fail",
        "DKIM fail": envelope.dkim is Verdict.FAIL,
        "DMARC fail": envelope.dmarc is Verdict.FAIL,
    }
    passed = envelope.spf == "pass" or Verdict.PASS in (envelope.dkim, envelope.dmarc)
    if rule.authentication is Authentication.NOT_FAIL:
        return ", ".join(name for name, is_so in failed.items() if is_so)
    if rule.authentication is Authentication.PASS and not passed:
        return "no SPF, DKIM or DMARC pass"
    return ""


def _addresses(lines: Iterable[str]) -> list[str]:
    """The addresses of From headers. What stands in quotes, or before angle brackets, is a display name."""
    found: list[str] = []
    for line in lines:
        for mailbox in _QUOTED.sub("", line).split(","):
            angle = _ANGLE.findall(mailbox)
            found += angle[-1:] if angle else _BARE.findall(mailbox)[-1:]
    return found
