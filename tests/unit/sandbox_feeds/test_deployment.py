"""The files of a sandbox folder, and the process that is named in one of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from changeover_sandbox.deployment import Credentials, Folder, Order, Serving, write_settings
from changeover_sandbox.housecallpro.ids import is_id
from changeover_sandbox.process import Process
from changeover_sandbox.seeding import AUTOMATIONS, first_schema, read_schema

DAY = date(2026, 11, 2)


def _order(seed: int = 1, *, empty: bool = False) -> Order:
    return Order.new(seed=seed, feeds=246, day=DAY, empty=empty)


@pytest.mark.parametrize("seed", range(20))
def test_dev_and_prod_differ_within_the_first_six_characters_of_every_secret(seed: int) -> None:
    dev, prod = (_order(seed).credentials[name] for name in ("dev", "prod"))
    for name in Credentials.model_fields:
        assert getattr(dev, name)[:6] != getattr(prod, name)[:6]


def test_ids_have_the_services_shape() -> None:
    dev = _order().credentials["dev"]
    assert (dev.base_id[:3], len(dev.base_id)) == ("app", 17)
    assert (dev.airtable_key[:3], len(dev.airtable_key.split(".")[0]), len(dev.airtable_key.split(".")[1])) == (
        "pat",
        17,
        64,
    )
    assert UUID(dev.hcp_company).version == 4
    assert is_id(dev.hcp_employee, "pro")
    types = {dev.hcp_next_guest_type, dev.hcp_owner_type, dev.hcp_laundry_type, dev.hcp_inspection_type}
    assert len([one for one in types if is_id(one, "jbt")]) == 4


def test_the_same_seed_gives_the_same_credentials() -> None:
    assert _order(4).credentials == _order(4).credentials
    assert _order(4).credentials != _order(5).credentials


def test_an_empty_sandbox_has_no_feeds() -> None:
    assert _order(empty=True).feeds == 0


def test_a_secret_is_not_shown_when_an_order_is_printed() -> None:
    assert "pat" not in repr(_order())


def test_what_was_ordered_is_read_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert Order.read(folder.order) is None
    _order().write(folder.order)
    assert Order.read(folder.order) == _order()
    assert folder.order.stat().st_mode & 0o077 == 0


def test_urls_are_on_loopback() -> None:
    serving = Serving(pid=1, started=2, ports={"feeds": 4711})
    assert serving.url("feeds") == "http://127.0.0.1:4711"
    assert serving.process == Process(1, 2)


def test_settings_are_set_and_other_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "config" / "dev.env"
    write_settings(path, {"A": "1", "B": "2"})
    path.write_text(path.read_text() + "# mine\nC=3\n")
    write_settings(path, {"A": "9", "B": "2"})
    assert path.read_text() == "A=9\nB=2\n# mine\nC=3\n"
    assert path.stat().st_mode & 0o077 == 0


def test_the_schema_holds_every_table_with_link_targets_first() -> None:
    names = [table["name"] for table in read_schema()]
    assert names[:4] == ["Customers", "Properties", "ICS Feeds", "Reservations"]
    assert len(AUTOMATIONS) == 7


def test_the_first_folder_with_a_schema_counts(tmp_path: Path) -> None:
    for name in ("checkout", "package", "nothing"):
        (tmp_path / name).mkdir()
    package = tmp_path / "package" / "airtable_base.json"
    package.touch()
    folders = [tmp_path / "nothing", tmp_path / "package", tmp_path / "checkout"]
    assert first_schema(folders) == package
    with pytest.raises(FileNotFoundError):
        first_schema(folders[:1])


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield child
    child.kill()
    child.wait()


def test_this_process_is_alive() -> None:
    assert Process.current().alive()
    assert Process.current().pid == os.getpid()


def test_a_process_with_another_start_is_a_stranger_and_is_not_stopped(sleeper: subprocess.Popen[bytes]) -> None:
    real = Process.of(sleeper.pid)
    stranger = Process(real.pid, real.started + 1)
    assert not stranger.alive()
    assert not stranger.stop()
    assert real.alive()


def test_a_process_is_stopped_and_then_gone(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process.stop()
    assert not process.alive()
    assert not process.stop()


def test_a_process_that_does_not_listen_is_ended_all_the_same() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = Process.of(child.pid)
        assert process.stop(patience=0.0)
        assert not process.alive()


def test_an_ended_process_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert not process.alive()


def test_there_is_no_process_without_a_number() -> None:
    with pytest.raises(ProcessLookupError):
        Process.of(2**30)
