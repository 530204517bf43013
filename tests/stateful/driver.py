"""Lives through a business step by step, from a seed or a record, so that what broke can be had again exactly."""

from __future__ import annotations

import gc
import json
import logging
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from stateful.business import Business
from stateful.life import Ways
from stateful.mortal import Killed
from stateful.program import be_quiet, template
from stateful.stand_ins import StandIns
from stateful.steps import Json, Step, steps_of

STEPS_A_LIFE = 250
COMMAND = "scripts/chaos --steps {steps} --seed {seed}"
MOST_LIVES = 10_000
SHRINKING_SECONDS = 120.0
_STEPS = steps_of(Business)


@dataclass(frozen=True)
class Taken:
    """A step that was taken."""

    name: str
    arguments: dict[str, Json]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


@dataclass(frozen=True)
class Record:
    """A whole life: the seed of all its chances, and its steps."""

    seed: int
    steps: tuple[Taken, ...]

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> Record:
        found = json.loads(path.read_text())
        return cls(found["seed"], tuple(Taken(each["name"], each["arguments"]) for each in found["steps"]))


Draw = Callable[[Business], Taken]


class Broken(AssertionError):
    """A business did not stay true. Its text ends with the command that breaks it again; `record` holds its steps."""

    def __init__(self, record: Record, why: BaseException) -> None:
        self.record = record
        last = "\n".join(f"  {each}" for each in record.steps[-12:])
        command = COMMAND.format(steps=len(record.steps), seed=record.seed)
        super().__init__(f"{type(why).__name__}: {why}\nits last steps:\n{last}\nTo have this again: {command}")


@contextmanager
def world(ways: Ways | None = None) -> Iterator[None]:
    """The stand-ins and the folder that all lives of this process share, and how they live.

    The folder is in memory where there is one: thousands of small transactions need not wait for a disk.
    """
    be_quiet()
    memory = Path("/dev/shm")  # noqa: S108 - made by mkdtemp, for us alone
    folder = Path(tempfile.mkdtemp(prefix="changeover-stateful-", dir=memory if memory.is_dir() else None))
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    before, threading.excepthook = threading.excepthook, _unless_killed
    Business.ways = ways or Ways()
    Business.folder, Business.template = folder, template(folder)
    Business.stand_ins = StandIns(served=Business.ways.served)
    gc.collect()
    gc.freeze()  # what is imported stays: a thousand runs need not look through it again and again
    try:
        yield
    finally:
        Business.stand_ins.close()
        threading.excepthook = before
        shutil.rmtree(folder, ignore_errors=True)


def live_through(number: int, steps: int) -> int:
    """So many steps in lives of 250, each with a seed of its own from this one on; raises Broken."""
    done = life = 0
    while done < steps:
        length = min(STEPS_A_LIFE, steps - done)
        live(number + life, length)
        done, life = done + length, life + 1
    return done


def live(number: int, length: int) -> None:
    """One life from its seed. Raises Broken."""
    chance, names = random.Random(number), list(_STEPS)
    favours = [_favour(chance, each) for each in _STEPS.values()]

    def draw(business: Business) -> Taken:
        while True:
            chosen = _STEPS[chance.choices(names, favours)[0]]
            arguments = chosen.drawn(chance)
            if chosen.when(business):
                return Taken(chosen.name, arguments)

    _live(number, (draw for _ in range(length)))


def live_again(record: Record) -> None:
    """The steps of a record, but for those that cannot be taken where others were left out. Raises Broken."""
    _live(record.seed, (partial(_as_recorded, each) for each in record.steps))


def _as_recorded(each: Taken, _: Business) -> Taken:
    return each


def shrink(record: Record, seconds: float = SHRINKING_SECONDS, lives: int = MOST_LIVES) -> Record:
    """A shorter life that breaks as well: parts are left out as long as that goes, and time and lives are left."""
    until, size, lived = time.monotonic() + seconds, len(record.steps) // 2, 0
    while size and time.monotonic() < until and lived < lives:
        start = 0
        while start < len(record.steps) and time.monotonic() < until and lived < lives:
            lived += 1
            shorter = Record(record.seed, record.steps[:start] + record.steps[start + size :])
            try:
                live_again(shorter)
            except Broken as broken:
                record = Record(record.seed, broken.record.steps)
            else:
                start += size
        size //= 2
    return record


def _favour(chance: random.Random, each: Step) -> int:
    """A life may lack some kinds of things, so that others come more often, but none lacks the essential ones."""
    return each.weight * chance.choice((1, 1, 1, 1, 2) if each.essential else (0, 1, 1, 1, 2))


def _live(number: int, draws: Iterable[Draw]) -> None:
    taken: list[Taken] = []
    random.seed(number)
    try:
        with Business(number) as business:
            for draw in draws:
                each = draw(business)
                if _STEPS[each.name].when(business):
                    taken.append(each)
                    business.take(each.name, each.arguments)
    except Exception as why:
        raise Broken(Record(number, tuple(taken)), why) from why


def _unless_killed(arguments: threading.ExceptHookArgs) -> None:
    if not isinstance(arguments.exc_value, Killed):
        sys.__excepthook__(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)  # type: ignore[arg-type]
