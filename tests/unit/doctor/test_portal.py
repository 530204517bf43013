"""What the doctor says of the portal's settings, browser and driver (D-12)."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from pydantic import SecretStr

from changeover.doctor import portal
from changeover.doctor.result import Level
from changeover.store.mirror import Record

EVERY = {
    "evolve_portal_url": "https://portal.example.test",
    "evolve_username": "partner",
    "evolve_password": SecretStr("made-up-pass"),
}


def with_settings(patient, **values):
    return replace(patient, settings=patient.settings.model_copy(update=values))


def ticked(patient):
    row = Record("rec00000000000001", patient.now, {"Name": "Evolve", "Active": True})
    return replace(patient, rows={**patient.rows, "Automation": (row,)})


@pytest.mark.parametrize(
    ("names", "unticked", "is_ticked"),
    [
        (EVERY, Level.OK, Level.OK),
        ((), Level.OK, Level.FAIL),
        (("evolve_username",), Level.WARN, Level.FAIL),
    ],
)
def test_settings_fail_only_where_evolve_is_ticked(patient, names, unticked, is_ticked):
    asked = with_settings(patient, **{name: EVERY[name] for name in names})
    assert [each.level for each in portal.settings(asked)] == [unticked]
    assert [each.level for each in portal.settings(ticked(asked))] == [is_ticked]


def test_settings_that_lack_are_named(patient):
    asked = ticked(with_settings(patient, evolve_username="partner"))
    (found,) = portal.settings(asked)
    assert found.text == "not set: EVOLVE_PORTAL_URL, EVOLVE_PASSWORD"


def test_without_a_browser_it_warns_and_fails_where_evolve_is_ticked(patient, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = portal.browser(patient)
    assert (found.level, found.text) == (Level.WARN, "not installed on this machine: chromium, chromedriver")
    assert [each.level for each in portal.browser(ticked(patient))] == [Level.FAIL]


@pytest.fixture
def programs(monkeypatch, tmp_path):
    """Puts programs of these names on the path that say these versions, and nothing else."""

    def put(**says: str) -> None:
        for name, version in says.items():
            path = tmp_path / name
            path.write_text(f"#!{sys.executable}\nprint({version!r})\n")
            path.chmod(0o700)
        monkeypatch.setenv("PATH", str(tmp_path))

    return put


@pytest.mark.parametrize(
    ("browser", "driver", "level"),
    [
        ("Chromium 156.0.8078.79 built on Debian", "ChromeDriver 156.0.1.2 (a21ce95c24ce)", Level.OK),
        ("Chromium 156.0.8078.79", "ChromeDriver 155.0.8078.79", Level.WARN),
        ("this is a snap, install it", "ChromeDriver 155.0.8078.79", Level.WARN),
    ],
)
def test_browser_and_driver_must_be_of_one_version(patient, programs, browser, driver, level):
    programs(chromium=browser, chromedriver=driver)
    assert [each.level for each in portal.browser(patient)] == [level]


def test_programs_that_do_not_run_are_no_browser(patient, programs, tmp_path):
    programs(chromium="Chromium 156.0.1.1", chromedriver="")
    (tmp_path / "chromedriver").write_text("#!/nowhere/at/all\n")
    assert [each.level for each in portal.browser(ticked(patient))] == [Level.FAIL]


@pytest.mark.browser
def test_where_evolve_is_ticked_the_browser_is_really_started(patient):
    (found,) = portal.browser(ticked(patient))
    assert (found.level, found.text.startswith("Chromium ")) == (Level.OK, True)
