from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from changeover.engine import process
from changeover.store.leases import Holder


def test_this_process_is_not_gone() -> None:
    me = process.this_process("run-a")
    assert (me.run, me.host, me.pid) == ("run-a", process.host_name(), os.getpid())
    assert not process.is_gone(me)


def test_a_process_that_ended_is_gone_even_before_its_parent_has_looked() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process.started(child.pid)
    holder = Holder("run-a", process.host_name(), child.pid, started or "")
    assert started is not None
    assert not process.is_gone(holder)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but still in the table
    assert process.is_gone(holder)
    child.communicate()
    assert process.is_gone(holder)


def test_a_later_process_with_the_same_pid_is_another() -> None:
    assert process.is_gone(replace(process.this_process("run-a"), started="12345678:1"))


def test_nothing_is_known_of_another_host() -> None:
    assert not process.is_gone(replace(process.this_process("run-a"), host="elsewhere", pid=1, started="12345678:1"))


def test_where_the_system_cannot_say_nobody_is_gone(tmp_path: Path) -> None:
    me = process.this_process("run-a")
    assert not process.is_gone(me, proc=tmp_path)
    assert not process.is_gone(replace(me, started=""))
    assert process.started(os.getpid(), proc=tmp_path) is None


def test_a_command_with_brackets_and_blanks_does_not_confuse_the_reading(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("0123456789\n")
    after = " ".join(["S", *(str(number) for number in range(4, 30))])
    (tmp_path / "7/stat").write_text(f"7 (a) b ) {after}\n")
    assert process.started(7, proc=tmp_path) == "01234567:22"
