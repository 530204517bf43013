"""Files that pages need, under names that change with their content, so that browsers may keep them (NG-5)."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from flask import Blueprint, Flask, Response
from werkzeug.exceptions import NotFound

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_A_YEAR = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    """Serves them, and gives templates `asset(name)`."""
    blueprint = Blueprint("assets", __name__)
    blueprint.add_url_rule("/static/<name>", "file", _file, provide_automatic_options=False)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The address of a file as it is now."""
    stem, _, kind = name.rpartition(".")
    return f"/static/{stem}.{hashlib.sha256(_content(name)).hexdigest()[:12]}.{kind}"


def _file(name: str) -> Response:
    known = {asset(each).rpartition("/")[2]: each for each in _names()}
    if name not in known:
        raise NotFound
    answer = Response(_content(known[name]), mimetype=_TYPES[name.rpartition(".")[2]])
    answer.headers["Cache-Control"] = _A_YEAR
    return answer


@cache
def _names() -> tuple[str, ...]:
    folder = files("changeover.web") / "static"
    return tuple(sorted(each.name for each in folder.iterdir() if each.name.rpartition(".")[2] in _TYPES))


@cache
def _content(name: str) -> bytes:
    return (files("changeover.web") / "static" / name).read_bytes()
