"""A stand-in as those who live with it ask it: its control API over any line; it knows no service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from stateful.wires import Answered


class Asked(Protocol):
    """Whoever carries a request to a stand-in and its answer back."""

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answered: ...

    def close(self) -> None: ...


@dataclass
class StandIn:
    """One stand-in's control API."""

    url: str
    line: Asked = field(repr=False)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        said = b"" if body is None else json.dumps(body).encode()
        answered = self.line.ask(method, f"{self.url}/_sandbox/{path}", {}, said)
        assert answered.status < 400, answered.body
        return json.loads(answered.body)

    def spoil(self, mode: str, method: str = "", path: str = "", times: int | None = 1, value: object = None) -> None:
        self.call("POST", "faults", {"mode": mode, "method": method, "path": path, "times": times, "value": value})

    def heal(self) -> None:
        self.call("DELETE", "faults")
