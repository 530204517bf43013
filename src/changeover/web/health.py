"""`/healthz` and `/readyz` (HE-1): whether this process lives, and whether it can store; nothing outside is asked."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from changeover.web.answers import plain
from changeover.web.sites import Deployment


def blueprint(deployment: Deployment) -> Blueprint:
    """The two routes."""
    health = Blueprint("health", __name__)

    @health.get("/healthz", provide_automatic_options=False)
    def alive() -> Response:
        return plain("ok", 200)

    @health.get("/readyz", provide_automatic_options=False)
    def ready() -> Response:
        reasons = [f"{env}: {trouble}" for env, site in deployment.sites.items() for trouble in site.troubles()]
        if deployment.stopping.is_set():
            reasons.append("stopping")
        answer = jsonify(ready=not reasons, reasons=reasons)
        answer.status_code = 503 if reasons else 200
        return answer

    return health
