"""What is shipped, pinned and scheduled: no registry, no secret, one schedule."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from changeover import rulefiles

ROOT = Path(__file__).resolve().parents[3]
SECRETS = {
    "private key": re.compile(r"-{5}BEGIN (?:[A-Z]+ )?PRIVATE KEY-{5}"),
    "certificate": re.compile(r"-{5}BEGIN CERTIFICATE-{5}"),
    "Airtable token": re.compile(r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"),
    "cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "chat token": re.compile(r"\bxox[abp]-[0-9A-Za-z-]{20,}"),
    "hosting token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
}


def committed() -> list[Path]:
    """The files of the project: those in the repository, or, in an unpacked archive, all but made ones."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = done.stdout.split("\0") if done.returncode == 0 else []
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_the_lock_file_pins_by_hash_and_names_no_registry():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "index" not in re.sub(r"^\s*#.*$", "", lock, flags=re.MULTILINE)
    requirements = re.split(r"\n(?=[a-z])", re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE).strip())
    assert len(requirements) > 50
    for requirement in requirements:
        assert re.match(r"[a-z0-9._\[\]-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_the_lock_file_holds_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(each for name, group in extras.items() if name != "browser" for each in group),
    ]
    names = {re.split(r"[<>=\[]", each)[0].lower().replace("_", "-") for each in wanted}
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert names <= locked


def test_no_dependency_is_declared_that_nothing_imports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    modules = {
        "python-dateutil": "dateutil",
        "python-dotenv": "dotenv",
        "tzdata": "zoneinfo",
        "usaddress-scourgify": "scourgify",
    }
    for each in project["dependencies"]:
        name = re.split(r"[<>=\[]", each)[0]
        module = modules.get(name, name)
        assert re.search(rf"^\s*(?:import|from) {module}\b", code, re.MULTILINE), name


def test_no_secret_is_in_the_repository():  # Z-27
    found = [
        f"{path.relative_to(ROOT)}: {what}"
        for path in committed()
        if path.suffix != ".lock"
        for what, pattern in SECRETS.items()
        if pattern.search(path.read_bytes().decode("utf-8", "replace"))
    ]
    assert found == []


def test_no_env_file_but_the_example_is_in_the_repository():
    assert [path.name for path in committed() if path.name.endswith(".env")] == []
    assert "config/*.env" in (ROOT / ".gitignore").read_text()


def test_the_wheel_holds_the_rule_files_and_no_settings(tmp_path):
    private = ROOT / "config" / "dev.env"
    assert not private.exists() or "config/*.env" in (ROOT / ".gitignore").read_text()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry = next(name for name in names if name.endswith("entry_points.txt"))
        assert "changeover = changeover.cli:main" in archive.read(entry).decode()
    assert {f"changeover/config/{name}" for name in rulefiles.NAMES} <= names
    assert not [name for name in names if name.endswith(".env")]
    assert {"changeover_sandbox/__main__.py", "changeover/store/migrations/env.py"} <= names


@pytest.mark.parametrize("name", rulefiles.NAMES)
def test_a_rule_file_in_the_settings_folder_replaces_the_shipped_one(tmp_path, name):
    assert rulefiles.find(name, tmp_path) == ROOT / "config" / name
    before = rulefiles.digest(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("other rules")
    assert rulefiles.find(name, tmp_path) == tmp_path / name
    assert rulefiles.digest(tmp_path) != before


def test_a_rule_file_nobody_has_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.toml"):
        rulefiles.find("nothing.toml", tmp_path)


def test_all_rule_files_are_known():
    files = [path for path in (ROOT / "config").rglob("*") if path.is_file() and path.suffix != ".env"]
    assert sorted(rulefiles.NAMES) == sorted(str(path.relative_to(ROOT / "config")) for path in files)


def crontab() -> list[list[str]]:
    lines = (ROOT / "cron" / "changeover.crontab").read_text().splitlines()
    return [line.split(maxsplit=6) for line in lines if line[:1].isdigit() or line.startswith("*")]


def test_the_schedule_is_one_line_an_environment_in_one_file():  # Z-16, Z-18
    assert [(entry[5], Path(entry[6].split()[-1]).name) for entry in crontab()] == [
        ("changeover-dev", "run_automation_dev.py"),
        ("changeover-prod", "run_automation_prod.py"),
    ]
    elsewhere = [
        path.relative_to(ROOT)
        for path in committed()
        if path.parts[len(ROOT.parts)] not in {"cron", "docs", "tests"}
        and re.search(r"^\S+ \*/\d+ \* \* \*", path.read_bytes().decode("utf-8", "replace"), re.MULTILINE)
    ]
    assert elsewhere == []


def test_dev_and_prod_start_ten_minutes_apart_every_four_hours_in_the_business_zone():
    text = (ROOT / "cron" / "changeover.crontab").read_text()
    assert "CRON_TZ=America/Phoenix" in text
    assert 'MAILTO=""' in text
    assert {entry[5]: " ".join(entry[:5]) for entry in crontab()} == {
        "changeover-dev": "10 */4 * * *",
        "changeover-prod": "0 */4 * * *",
    }


def test_no_command_line_of_the_schedule_carries_a_secret():  # Z-21
    text = (ROOT / "cron" / "changeover.crontab").read_text()
    assert not re.search(r"key|secret|password|token", text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["scripts/setup", "scripts/test", "scripts/demo", "scripts/lock", ".ci/run"])
def test_scripts_can_be_executed_and_stop_at_the_first_error(name):
    path = ROOT / name
    assert path.stat().st_mode & stat.S_IXUSR
    assert "set -euo pipefail" in path.read_text()
