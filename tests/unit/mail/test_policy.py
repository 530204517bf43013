"""Which mails are accepted (CM-16 … CM-18), and what a supplier's file must say of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from changeover import rulefiles
from changeover.sources.csv import suppliers
from changeover.sources.csv.suppliers import Authentication, BadSupplier, MailRule
from changeover.sources.mail.mail import Envelope, Verdict
from changeover.sources.mail.policy import Acceptance, judge
from plugins.mailbag import mail


def ruled(shipped, author: str = "Reports <r@ITRIP.example>", subject: str = "CHECKOUTS report", **envelope: object):
    """What is decided of a mail with this From, subject and envelope."""
    headers = {"from": (author,), "subject": (subject,)}
    return judge(mail(headers=headers, envelope=Envelope("dev@inbox.example", **envelope)), shipped)


def test_the_shipped_rules_are_those_of_the_suppliers(shipped) -> None:
    """CM-16."""
    rules = {each.key: each.mail for each in shipped}
    assert rules["csv_itrip"] == MailRule("itrip", "checkouts report", Authentication.NOT_FAIL, timedelta(hours=26))
    assert rules["csv_evolve"] == MailRule("evolve")
    assert rules["csv_evolve_blocks"] is None


def test_a_suppliers_mail_is_accepted_whatever_its_case(shipped) -> None:
    ruling = ruled(shipped)
    assert (ruling.acceptance, ruling.supplier.key, ruling.reason) == (Acceptance.ACCEPTED, "csv_itrip", "")


def test_the_envelopes_sender_counts_as_well(shipped) -> None:
    assert ruled(shipped, "Front desk <desk@house.example>", sender="b@itrip.example").supplier.key == "csv_itrip"


def test_a_supplier_without_a_subject_takes_any(shipped) -> None:
    assert ruled(shipped, "x@evolve.example", "anything at all").supplier.key == "csv_evolve"


@pytest.mark.parametrize(
    "sender",
    [
        '"r@itrip.example" <x@evil.example>',
        "r@itrip.example <x@evil.example>",
        "<r@itrip.example> <x@evil.example>",
        "itrip reports",
        "iTrip <>",
        '"iTrip <r@itrip.example>',
        "=?utf-8?q?r=40itrip.example?= <x@evil.example>",
        "",
    ],
)
def test_a_display_name_is_no_address(shipped, sender) -> None:
    assert ruled(shipped, sender).acceptance is Acceptance.IGNORED


@pytest.mark.parametrize("sender", ["r@itrip.example", "iTrip, Inc. <r@itrip.example>", "<r@itrip.example> (iTrip)"])
def test_an_address_is_found_however_it_is_written(shipped, sender) -> None:
    assert ruled(shipped, sender).acceptance is Acceptance.ACCEPTED


def test_no_word_in_the_subject_lets_a_mail_past_its_sender(shipped) -> None:
    """CM-17."""
    ruling = ruled(shipped, "x@evil.example", "itrip checkouts report evolve")
    assert (ruling.acceptance, ruling.supplier, ruling.reason) == (Acceptance.IGNORED, None, "no supplier's address")


def test_all_keys_must_match(shipped) -> None:
    ruling = ruled(shipped, subject="Newsletter")
    assert (ruling.acceptance, ruling.reason) == (Acceptance.IGNORED, "no supplier's subject")


def test_the_first_supplier_that_matches_wins(shipped) -> None:
    assert ruled(shipped, "itrip@evolve.example", "Checkouts Report").supplier.key == "csv_itrip"
    assert ruled(shipped, "itrip@evolve.example", "other").supplier.key == "csv_evolve"


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        ({"spf": "fail"}, "SPF fail"),
        ({"dkim": Verdict.FAIL, "spf": "pass"}, "DKIM fail"),
        ({"dmarc": Verdict.FAIL, "dkim": Verdict.FAIL}, "DKIM fail, DMARC fail"),
    ],
)
def test_a_failed_authentication_holds_the_mail(shipped, envelope, reason) -> None:
    """CM-18."""
    ruling = ruled(shipped, **envelope)
    assert (ruling.acceptance, ruling.supplier.key, ruling.reason) == (Acceptance.HELD, "csv_itrip", reason)


@pytest.mark.parametrize("spf", ["", "none", "neutral", "softfail", "temperror", "permerror", "pass"])
def test_any_other_result_of_spf_does_not(shipped, spf) -> None:
    """CM-5: none of these says that the sender is another."""
    assert ruled(shipped, spf=spf).acceptance is Acceptance.ACCEPTED


@pytest.mark.parametrize(
    ("envelope", "acceptance"),
    [
        ({}, Acceptance.HELD),
        ({"spf": "softfail"}, Acceptance.HELD),
        ({"spf": "pass"}, Acceptance.ACCEPTED),
        ({"dkim": Verdict.PASS}, Acceptance.ACCEPTED),
        ({"dmarc": Verdict.PASS, "spf": "fail"}, Acceptance.ACCEPTED),
    ],
)
def test_pass_wants_one_of_three_to_have_passed(shipped, envelope, acceptance) -> None:
    strict = [replace(shipped[0], mail=MailRule("itrip", authentication=Authentication.PASS))]
    assert ruled(strict, **envelope).acceptance is acceptance


def test_off_asks_nothing(shipped) -> None:
    off = [replace(shipped[0], mail=MailRule("itrip", authentication=Authentication.OFF))]
    assert ruled(off, spf="fail", dmarc=Verdict.FAIL).acceptance is Acceptance.ACCEPTED


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('from_contains = "itrip"', "", "mail.from_contains"),
        ('authentication = "not-fail"', 'authentication = "maybe"', "mail.authentication"),
        ("expected_every_hours = 26", "expected_every_hours = 0", "mail.expected_every_hours"),
        ('attachments = "csv"', 'attachments = "xlsx"', "mail.attachments"),
        ("[mail]", "[mail]\nsender = 1", "mail.sender"),
    ],
)
def test_a_faulty_rule_is_named(tmp_path, old, new, said) -> None:
    (tmp_path / "suppliers").mkdir()
    for name in suppliers.FILES:
        shutil.copy(rulefiles.find(name, tmp_path), tmp_path / name)
    path = tmp_path / "suppliers/itrip.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(BadSupplier, match=rf"itrip\.toml.*{said}"):
        suppliers.load(rulefiles.find(name, tmp_path) for name in suppliers.FILES)
