"""Lines say when, what and for which run, in files and on a terminal, and never a secret."""

from __future__ import annotations

import io
import json
import logging as standard
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
import structlog

from changeover.ops import logging
from changeover.ops.redaction import Redactor

SECRET = "s3cr3t-Value_42"


@pytest.fixture
def terminal(tmp_path):
    """The terminal of a process that logs to it and to files; the test's logging is put back afterwards."""
    root = standard.getLogger()
    level, noisy = root.level, {name: standard.getLogger(name).level for name in logging._NOISY}
    stream = io.StringIO()
    logging.configure(logging.Logging("cycle", "dev", tmp_path, terminal=stream), Redactor([SECRET]))
    yield stream
    for handler in [each for each in root.handlers if isinstance(each, logging._LineHandler)]:
        root.removeHandler(handler)
    root.setLevel(level)
    for name, before in noisy.items():
        standard.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def lines(folder):
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_a_line_in_a_file_has_its_fields_and_no_empty_ones(terminal, tmp_path):
    with logging.about(run_id="run-1", automation="ICS Calendar"):
        logging.get("x").info("feed.fetched", feed="rec1", ms=12, cause=None)
    (line,) = lines(tmp_path)
    assert list(line)[:9] == ["ts", "local", "level", "event", "env", "process", "host", "pid", "version"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
    wanted = {"level": "info", "event": "feed.fetched", "env": "dev", "process": "cycle", "run_id": "run-1", "ms": 12}
    assert wanted.items() <= line.items()
    assert "cause" not in line


def test_every_line_says_its_zone(terminal, tmp_path):  # Z-41
    logging.get("x").info("a")
    (line,) = lines(tmp_path)
    pattern = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d MST"
    assert re.fullmatch(pattern, line["local"])
    assert re.match(pattern + " INFO    a$", terminal.getvalue())


def test_one_id_finds_every_line_of_a_run_a_librarys_too(terminal, tmp_path):  # Z-42
    with logging.about(run_id="run-7"):
        logging.get("x").info("a")
        standard.getLogger("some.library").warning("retry %s", "now")
    logging.get("x").info("b")
    assert [line.get("run_id") for line in lines(tmp_path)] == ["run-7", "run-7", None]
    assert lines(tmp_path)[1]["event"] == "library.some.library"
    assert lines(tmp_path)[1]["message"] == "retry now"


@pytest.mark.parametrize("library", [True, False])
def test_an_exception_is_a_code_and_a_message_its_trace_is_for_files_only(terminal, tmp_path, library):
    try:
        raise ValueError(f"bad {SECRET} of guest@mail.example.com")
    except ValueError as error:
        if library:
            standard.getLogger("lib").error("it broke", exc_info=True)
        else:
            logging.get("x").error("step.failed", exc_info=error)
    (line,) = lines(tmp_path)
    assert line["error"] == {"code": "ValueError", "message": "bad *** of [email]"}
    assert line["stack"].startswith("Traceback")
    everything = terminal.getvalue() + json.dumps(line)
    assert SECRET not in everything
    assert "guest@" not in everything
    assert "Traceback" not in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 1


def test_the_current_exception_is_meant_when_none_is_named(terminal, tmp_path):
    try:
        raise KeyError("a")
    except KeyError:
        logging.get("x").exception("step.failed")
    logging.get("x").error("alone", exc_info=True)
    assert [line.get("error", {}).get("code") for line in lines(tmp_path)] == ["KeyError", None]


def test_secrets_are_gone_from_words_fields_and_arguments(terminal, tmp_path):
    logging.get("x").warning("a", url=f"https://example.com/?k={SECRET}", api_key="plain", nested={"v": [SECRET]})
    standard.getLogger("lib").warning("key %s", SECRET)
    everything = terminal.getvalue() + "".join(path.read_text() for path in tmp_path.iterdir())
    assert SECRET not in everything
    assert "plain" not in everything


def test_a_line_stays_one_line(terminal):
    logging.get("x").info("a", text="one\ntwo", nested={"b": "three\nfour"})
    assert terminal.getvalue().count("\n") == 1


def test_a_value_that_cannot_be_shown_loses_its_line_and_nothing_else(terminal, tmp_path):
    class Spiteful:
        def __str__(self):
            raise RuntimeError("no")

    logging.get("x").info("a", value=Spiteful())
    logging.get("x").info("b")
    assert [line["event"] for line in lines(tmp_path)] == ["b"]


def test_a_closed_terminal_stops_nothing(terminal, tmp_path):
    terminal.close()
    logging.get("x").info("a")
    assert [line["event"] for line in lines(tmp_path)] == ["a"]


def test_less_than_the_level_is_left_out_and_noisy_libraries_are_quiet(terminal, tmp_path):
    logging.get("x").debug("a")
    standard.getLogger("urllib3").info("a connection")
    assert lines(tmp_path) == []


def test_configuring_again_does_not_write_lines_twice(terminal, tmp_path):
    stream = io.StringIO()
    quiet = logging.Logging("cycle", "dev", tmp_path, terminal=stream, terminal_level="ERROR")
    logging.configure(quiet, Redactor())
    logging.get("x").warning("a")
    assert len(lines(tmp_path)) == 1
    assert stream.getvalue() == terminal.getvalue() == ""


def test_without_a_folder_only_the_terminal_is_told(terminal, tmp_path):
    stream = io.StringIO()
    logging.configure(logging.Logging("web", terminal=stream), Redactor())
    logging.get("x").info("a", n=1)
    assert stream.getvalue().endswith("a n=1\n")
    assert lines(tmp_path) == []


def test_the_formatter_stands_alone_and_follows_the_zone_it_is_given():
    record = standard.LogRecord("x", standard.INFO, "f", 1, "hello", (), None)
    record.created = datetime(2026, 3, 4, 15, 0, tzinfo=UTC).timestamp()
    assert logging.MSTFormatter().format(record) == "2026-03-04 08:00:00 MST INFO hello"
    elsewhere = logging.MSTFormatter(zone=timezone(timedelta(hours=1), "CET"))
    assert elsewhere.formatTime(record) == "2026-03-04 16:00:00 CET"
    assert elsewhere.formatTime(record, "%H") == "16"
