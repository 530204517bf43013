"""What several threads ask for at the same moment, sent as one call; what is asked and how is the caller's (J-76)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Ask(Generic[T, R]):
    """One caller's question and what came of it."""

    item: T
    answers: list[R] | None = None
    failed: BaseException | None = None

    @property
    def waits(self) -> bool:
        return self.answers is None and self.failed is None


class Together(Generic[T, R]):
    """One call at a time. Who comes while it is under way shares the next one with all who came too, `most` at a time.

    So nobody waits for company: alone, a question goes out at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Ask[T, R]] = []

    def ask(self, item: T, serve: Callable[[Sequence[T]], Sequence[R]]) -> R:
        """The answer to one item. `serve` answers several, each at its place; what it raises is raised to all of them.

        Whose `serve` it is that answers, nobody can tell: callers must not mind.
        """
        mine: _Ask[T, R] = _Ask(item)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if mine.waits:
                self._serve(self._taken(mine), serve)
        if mine.failed is not None:
            raise mine.failed
        assert mine.answers is not None  # noqa: S101 - for the type checker
        return mine.answers[0]

    def _taken(self, mine: _Ask[T, R]) -> list[_Ask[T, R]]:
        """This caller's and the longest waiting others."""
        with self._lock:
            others = [each for each in self._waiting if each is not mine]
            taken = [mine, *others[: self._most - 1]]
            self._waiting = others[self._most - 1 :]
        return taken

    def _serve(self, asked: Sequence[_Ask[T, R]], serve: Callable[[Sequence[T]], Sequence[R]]) -> None:
        try:
            answers = serve([each.item for each in asked])
            for each, answer in zip(asked, answers, strict=True):
                each.answers = [answer]
        except BaseException as error:
            for each in asked:
                each.failed = error
            raise
