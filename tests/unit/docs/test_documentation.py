"""The documentation is complete and true: what is made from the program is fresh, what is cited can be looked up."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from changeover.cli.main import build
from changeover.engine.jobs import alerts as job_alerts
from changeover.settings import NAMES
from changeover.web.app import create_app
from changeover.web.sites import Deployment

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
RULE = re.compile(r"\b(?:AT|CM|HC|HE|JM|JX|LB|NG|[A-Z])-\d+\b")
CODE_PLACES = ("src", "scripts", "config", "tests")


def commands(words=(), command=None):
    """Every command of the program with its words."""
    command = command or typer.main.get_command(build())
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from commands((*words, name), child)
    else:
        yield words, command


def texts(*places):
    for place in places:
        for path in sorted((ROOT / place).rglob("*")):
            left_behind = {"__pycache__", ".hypothesis"} & set(path.parts)
            if path.is_file() and not left_behind and path.suffix not in {".ics", ".pyc"}:
                yield path, path.read_text(encoding="utf-8", errors="replace")


def test_the_pages_made_from_the_program_are_fresh():
    command = [sys.executable, str(ROOT / "scripts" / "docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), f"stale: {done.stdout}{done.stderr} (run scripts/docs.py)"


def test_every_setting_is_explained():
    page = (DOCS / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \|.*\| ([^|]+) \|$", page, re.MULTILINE))
    assert sorted(rows) == sorted(NAMES)
    assert all(len(meaning) > 15 for meaning in rows.values())


def test_every_command_and_option_is_explained():
    page = (DOCS / "commands.md").read_text()
    sections = {part.splitlines()[0].strip("`"): part for part in page.split("\n## ")[1:]}
    for words, command in commands():
        name = " ".join(("changeover", *words))
        section = next(part for heading, part in sections.items() if f"{heading} ".startswith(f"{name} "))
        assert len(str(command.help)) > 15
        shown = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
        for option in shown:
            assert option.name == "help" or f"| `{option.opts[0]}" in section, f"{name} {option.opts[0]}"
            assert option.help, f"{name} {option.opts[0]}"


def test_every_command_takes_json():
    assert [" ".join(words) for words, command in commands() if "as_json" not in {p.name for p in command.params}] == []


def test_every_field_of_the_base_has_its_owner_and_meaning():
    page = (DOCS / "airtable.md").read_text()
    for table in json.loads((ROOT / "config" / "airtable_base.json").read_text())["tables"]:
        section = page.split(f"\n## {table['name']}\n")[1].split("\n## ")[0]
        for field in table["fields"]:
            owner = "(human|source|derived|hcp|system)(, optional)?"
            pattern = rf"^\| {re.escape(field['name'])} \| \S.* \| {owner} \| .{{4,}} \|$"
            assert re.search(pattern, section, re.MULTILINE), f"{table['name']}: {field['name']}"


def test_every_route_is_explained_and_every_explained_route_exists():
    application = create_app(Deployment({}))
    served = {
        f"{method} {rule.rule}"
        for rule in application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    explained = set(re.findall(r"^\| `((?:GET|POST) [^`]+)` \|", (DOCS / "http.md").read_text(), re.MULTILINE))
    assert explained == served


def test_every_command_of_the_readme_exists():
    known = {" ".join(words) for words, _ in commands()}
    readme = (ROOT / "README.md").read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", readme, re.DOTALL))
    inline = re.findall(r"`(changeover [^`]+|scripts/[^`]+|held [^`]+)`", readme)
    lines = [line for line in [*blocks.splitlines(), *inline] if line and not line.startswith("export ")]
    assert lines
    for line in lines:
        words = [Path(word).name if "/" in word else word for word in shlex.split(line)]
        if words[0] == "held":
            words.insert(0, "changeover")
        if words[0] != "changeover":
            assert (ROOT / shlex.split(line)[0]).exists(), line
            continue
        assert any(" ".join(words[1:]).startswith(name) for name in known), line


def test_options_in_the_readme_exist():
    options = {
        opt for _, command in commands() for p in command.params if p.param_type_name == "option" for opt in p.opts
    }
    options |= {"--keep"}  # of scripts/demo
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", readme)) <= options


def test_every_alert_about_jobs_is_explained():
    rules = {value for name, value in vars(job_alerts).items() if name.isupper() and isinstance(value, str)}
    page = (DOCS / "jobs.md").read_text("utf-8")
    assert len(rules) >= 10
    assert rules <= set(re.findall(r"^\| .*?`(\w+)`", page, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_cited_rule_can_be_looked_up():
    rules = "\n".join(path.read_text() for path in (DOCS / "rules").glob("*.md"))
    known = set(RULE.findall(rules))
    cited = {
        rule: path.relative_to(ROOT)
        for path, text in texts("src", "scripts", "config")
        for rule in re.findall(r"\b(?:AT|CM|HC|HE|J|JM|JX|LB|NG|R|P|C|S|F|L|E|D|X|K|V|Z|T|A|B)-\d+\b", text)
    }
    places = {rule: str(place) for rule, place in cited.items() if rule not in known}
    assert {
        rule: place for rule, place in places.items() if not place.startswith("src/changeover_sandbox/world/names")
    } == {}


def test_the_project_speaks_of_itself_alone():
    outside = re.compile(r"\.\./shared|/work/|ARCHITECTURE\.md|STYLE\.md|\bissue #\d")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in [*texts(*CODE_PLACES, "docs", "cron"), *((path, path.read_text()) for path in PAGES)]
        if path != Path(__file__).resolve() and (match := outside.search(text))
    ]
    assert found == []


def test_the_documentation_promises_no_number_that_was_not_measured():
    assert not re.search(r"\d+ ?(ms|seconds|req/s|rows/s)\b", (ROOT / "README.md").read_text())
