"""The Flask application: its parts put together, its limits set; no route and no rule of its own."""

from __future__ import annotations

from flask import Flask

from changeover.web import answers, api, assets, buttons, hcp, health, limits, mail
from changeover.web.sites import Deployment

LARGEST = 1024 * 1024
"""Bytes a body may have (NG-3). Mails and webhooks have limits of their own (CM-8, J-72)."""


def create_app(deployment: Deployment) -> Flask:
    """The application over opened environments; whoever opened them closes them."""
    app = Flask("changeover.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    # A redirect is followed by nobody who posts: a slash too many is no reason for one (CM-8).
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.after_request(mail.never_bounce)
    answers.install(app)
    counted = limits.Limits()
    limits.install(app, counted)
    assets.install(app)
    app.register_blueprint(mail.blueprint(deployment))
    app.register_blueprint(hcp.blueprint(deployment))
    app.register_blueprint(api.blueprint(deployment, counted))
    app.register_blueprint(buttons.blueprint(deployment, counted))
    app.register_blueprint(health.blueprint(deployment))
    return app
