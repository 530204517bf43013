"""What the doctor says of this machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from changeover.doctor import machine
from changeover.doctor.result import Level
from changeover.engine.disk import Disk, DiskLevel

LINE = "0 */4 * * *  changeover-dev  /opt/changeover/current/.venv/bin/python /opt/changeover/run_automation_{}.py\n"


def levels(results):
    return [(each.check, each.level) for each in results]


def test_sound_settings_are_all_right(patient):
    assert levels(machine.settings(patient)) == [("isolation", Level.OK), ("settings", Level.OK)]


def test_foreign_variables_and_an_open_proof_are_warned_of(patient):
    odd = patient.settings.model_copy(update={"dropped": ("API_KEY_PROD",), "isolation_unproven": True})
    found = list(machine.settings(replace(patient, settings=odd)))
    assert levels(found) == [("settings", Level.WARN), ("isolation", Level.WARN)]
    assert "API_KEY_PROD" in found[0].text
    assert "prod" in found[1].do


def with_secrets(patient, **given):
    """The patient under these secrets, by their settings' names in small letters; all others are empty."""
    empty = dict.fromkeys(("api_key", "hcp_webhook_secret", "servativ_webhook_secret", "cloudmailin_password"))
    values = {name: value and SecretStr(value) for name, value in (empty | given).items()}
    return replace(patient, settings=patient.settings.model_copy(update=values))


GOOD = "made-up-but-of-good-length"


def test_a_secret_that_can_be_guessed_is_named_and_never_shown(patient):
    """X-1, X-13."""
    values = ("tiny-secret", f"{GOOD},tiny-one", f" tiny-one , {GOOD}", "aaaaaaaabbbbbbbbaaaa")
    for name in ("api_key", "hcp_webhook_secret", "servativ_webhook_secret", "cloudmailin_password"):
        for value in values:
            (found,) = machine.secrets(with_secrets(patient, **{name: value}))
            assert found.level is Level.WARN
            assert name.upper() in found.text
            assert not any(part.strip() in found.text + found.do for part in value.split(","))


def test_secrets_of_good_length_are_well_and_what_is_shut_is_said(patient):
    """X-1: an empty one closes its way in."""
    (found,) = machine.secrets(with_secrets(patient, api_key=f"{GOOD},{GOOD}2", hcp_webhook_secret=GOOD))
    assert (found.level, found.text) == (Level.OK, "of good length; not set, so shut: SERVATIV_WEBHOOK_SECRET")
    given = {"api_key": GOOD, "hcp_webhook_secret": GOOD, "servativ_webhook_secret": GOOD}
    (found,) = machine.secrets(with_secrets(patient, **given, cloudmailin_password=GOOD))
    assert found.text == "of good length"


def test_a_mail_account_without_a_password_is_said_to_be_shut(patient):
    mailer = replace(patient, settings=patient.settings.model_copy(update={"cloudmailin_user": "mailer"}))
    (found,) = machine.secrets(
        with_secrets(mailer, api_key=GOOD, hcp_webhook_secret=GOOD, servativ_webhook_secret=GOOD)
    )
    assert found.text.endswith("shut: CLOUDMAILIN_PASSWORD")


def test_where_housecall_pro_is_set_up_webhooks_without_a_way_in_are_warned_of(patient):
    in_use = replace(patient, settings=patient.settings.model_copy(update={"hcp_api_key": SecretStr("a-key")}))
    (found,) = machine.secrets(with_secrets(in_use, api_key=GOOD))
    assert (found.level, "no way in" in found.text) == (Level.WARN, True)
    (found,) = machine.secrets(with_secrets(in_use, api_key=GOOD, servativ_webhook_secret=GOOD))
    assert found.level is Level.OK


def test_files_open_to_others_are_named(patient):
    assert levels(machine.files(patient)) == [("files", Level.OK)]
    env_file = patient.settings.config / "dev.env"
    env_file.chmod(0o644)
    (found,) = machine.files(patient)
    assert (found.level, str(env_file) in found.text) == (Level.WARN, True)


def test_a_missing_folder_fails(patient):
    assert levels(machine.folders(patient)) == [("folders", Level.OK)]
    (patient.settings.folder / "raw").rmdir()
    (found,) = machine.folders(patient)
    assert (found.level, found.text.endswith(": raw")) == (Level.FAIL, True)


@pytest.mark.parametrize(
    ("disk", "level"),
    [
        (Disk(DiskLevel.OK, 50, 100), Level.OK),
        (Disk(DiskLevel.WARNING, 14, 100), Level.WARN),
        (Disk(DiskLevel.CRITICAL, 9, 100), Level.WARN),
        (Disk(DiskLevel.UNDER_FLOOR, 1, 100), Level.FAIL),
        (Disk(DiskLevel.UNKNOWN), Level.FAIL),
    ],
)
def test_the_disk_is_judged_and_a_check_that_cannot_run_is_never_fine(patient, monkeypatch, disk, level):  # Z-37
    monkeypatch.setattr(machine.disk, "check", lambda _: disk)
    assert levels(machine.disk_space(patient)) == [("disk", level)]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n", Level.OK),
        ("MemTotal: 1000000 kB\nMemAvailable: 10000 kB\n", Level.WARN),
        ("nothing of the kind\n", Level.WARN),
    ],
)
def test_memory_is_judged(patient, monkeypatch, text, level):
    monkeypatch.setattr(machine.Path, "read_text", lambda *_, **__: text)
    assert levels(machine.memory(patient)) == [("memory", level)]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (timedelta(seconds=5), [Level.OK, Level.OK]),
        (timedelta(seconds=-90), [Level.OK, Level.WARN]),
        (None, [Level.OK]),
    ],
)
def test_our_clock_is_held_beside_the_bases(patient, beside, expected):
    clock = None if beside is None else patient.now + beside
    assert [each.level for each in machine.clock(replace(patient, base_clock=clock))] == expected


@pytest.mark.parametrize(
    ("crontab", "timers", "level", "words"),
    [
        (None, (), Level.WARN, "nothing starts"),
        (LINE.format("prod") + "# " + LINE.format("dev"), (), Level.WARN, "nothing starts"),
        (LINE.format("dev") + LINE.format("prod"), (), Level.OK, "crontab"),
        (None, ("changeover-cycle@dev.timer",), Level.OK, "timer"),
        (LINE.format("dev") * 2, (), Level.WARN, "2 entries"),
        (LINE.format("dev"), ("changeover-cycle@dev.timer",), Level.WARN, "2 entries"),
    ],
)
def test_exactly_one_thing_starts_the_cycle(patient, monkeypatch, tmp_path, crontab, timers, level, words):  # Z-16
    monkeypatch.setattr(machine, "CRONTAB", tmp_path / "crontab")
    monkeypatch.setattr(machine, "TIMERS", tmp_path / "timers")
    (tmp_path / "timers").mkdir()
    for name in timers:
        (tmp_path / "timers" / name).touch()
    if crontab is not None:
        (tmp_path / "crontab").write_text(crontab)
    (found,) = machine.schedule(patient)
    assert (found.level, words in found.text) == (level, True)
