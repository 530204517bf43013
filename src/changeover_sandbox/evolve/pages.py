"""The portal's two pages as HTML shells that its script fills; it knows no booking."""

import json
from collections.abc import Mapping
from html import escape

SCRIPT = "/s/resource/portal.js"
_LABELS = {"filter": "Filter This List", "apply": "Apply Filter", "export": "Export"}
_CHANGED = {"filter": "Refine", "apply": "Show", "export": "Save as"}
_STYLE = (
    "body{font:14px sans-serif;margin:1rem}[hidden]{display:none!important}.right{text-align:right}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:4px 8px;text-align:left}"
    ".spinner{padding:2rem}.panel{border:1px solid #888;padding:1rem;width:18rem}.error{color:#b00}"
    "[role=tab][aria-selected=true]{font-weight:bold}button,[role=option]{cursor:pointer;margin:2px}"
)


def sign_in_page(error: str = "") -> str:
    """The sign-in page; its form is drawn by the script, an error stands above it."""
    return _shell("Sign in", {"page": "sign-in", "error": error})


def bookings_page(*, changed: bool = False) -> str:
    """The page of both tables, under their usual or other words."""
    return _shell("Bookings", {"page": "bookings", "labels": _CHANGED if changed else _LABELS})


def _shell(title: str, told: Mapping[str, object]) -> str:
    data = escape(json.dumps(told), quote=True)
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{title} | Partner Portal</title>"
        f"<style>{_STYLE}</style></head><body data-told='{data}'><div class='spinner' role='status'>Loading</div>"
        f"<script src='{SCRIPT}'></script></body></html>"
    )
