"""The least that saying `ok` takes with the same parts: Flask on gunicorn, a body read; it stores nothing."""

from __future__ import annotations

import sys

from flask import Flask, request
from gunicorn.app.base import BaseApplication

THREADS = 8  # as many as `changeover serve` has


class _Bare(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def load_config(self) -> None:
        settings = {
            "bind": ["127.0.0.1:0"],
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "loglevel": "critical",
            "control_socket_disable": True,
            "when_ready": lambda arbiter: _say(arbiter.LISTENERS[0].getsockname()[1]),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = Flask("bare")

        @app.post("/webhooks/csv-email/dev")
        @app.post("/webhooks/hcp-dev")
        def receive() -> str:
            request.get_data()
            return "ok"

        return app


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _Bare().run()
