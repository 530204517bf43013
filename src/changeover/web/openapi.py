"""`/api/openapi.json`: the API as programs read about it, made from the schemas that also check it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any, Final

from flask import Response, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from changeover.core.job_action import Action
from changeover.web.keys import KEY_HEADER
from changeover.web.schemas import (
    AcceptedAnswer,
    FailureAnswer,
    JobAnswer,
    ReconcileBody,
    RecordBody,
    RunAnswer,
    RunBody,
)

Document = dict[str, Any]

_SUMMARIES: Final = {
    Action.CREATE: "Create the job of a row, or verify the one it has.",
    Action.UPDATE: "Move the job to the time that the row says.",
    Action.DELETE: "Take the job's schedule away; the job stays.",
    Action.LINE: "Bring the line that cleaners read up to date.",
}
_CODES: Final = {
    400: "`not_found`: the body has no `recordId`. `bad_request`: the body is no JSON object of this form.",
    401: "`unauthorized`: the key is missing or unknown.",
    403: "`wrong_environment`: the key is the other environment's.",
    404: "`not_found`: no such environment, row, job or run.",
    405: "`method_not_allowed`.",
    409: "`address_mismatch`, `multi_visit`; `busy`: another action is under way on the row.",
    413: "`too_large`: the body is over 1 MB.",
    422: "`not_eligible`, `no_service_time`, `no_property`, `no_hcp_customer`, `no_hcp_address`, `no_template`.",
    423: "`stopped`: the emergency stop is on.",
    429: "`rate_limited`: try again after `Retry-After` seconds.",
    500: "`internal_error`: a fault of ours.",
    502: "`hcp_error`, `airtable_error`: the other side did not do it.",
    503: "`busy`: not answered in time; the same request joins the work after `Retry-After` seconds.",
}
_ENTRY: Final = (401, 403, 404, 405, 429, 500)
_BODY: Final = (400, 413, 423, 503)
_ROW: Final = (409, 422, 502)
_MODELS: Final[tuple[type[BaseModel], ...]] = (
    RecordBody,
    ReconcileBody,
    RunBody,
    JobAnswer,
    AcceptedAnswer,
    RunAnswer,
    FailureAnswer,
)


def answer() -> Response:
    """The document."""
    return jsonify(document())


@cache
def document() -> Document:
    """OpenAPI 3.1, the same for every environment: the path names it."""
    _, schemas = models_json_schema(
        [(each, "validation") for each in _MODELS], ref_template="#/components/schemas/{model}"
    )
    acts = {
        f"/api/{{env}}/{each}": _post(summary, RecordBody, JobAnswer, 200, _ROW) for each, summary in _SUMMARIES.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Changeover", "version": version("changeover")},
        "paths": {
            **acts,
            "/api/{env}/jobs/reconcile": _post(
                "Look for jobs that people made, and link them.", ReconcileBody, AcceptedAnswer, 202
            ),
            "/api/{env}/runs": _post("Start a cycle, or one automation.", RunBody, AcceptedAnswer, 202),
            "/api/{env}/runs/{runId}": _get("How a run or a cycle is doing.", RunAnswer),
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": KEY_HEADER}},
        },
        "security": [{"key": []}],
    }


def _post(
    summary: str, body: type[BaseModel], good: type[BaseModel], status: int, more: tuple[int, ...] = ()
) -> Document:
    content = {"application/json": {"schema": _reference(body)}}
    needed = any(field.is_required() for field in body.model_fields.values())
    operation = {
        "summary": summary,
        "requestBody": {"required": needed, "content": content},
        "responses": _responses(good, status, (*_ENTRY, *_BODY, *more)),
    }
    return {"parameters": [_ENV], "post": operation}


def _get(summary: str, good: type[BaseModel]) -> Document:
    operation = {"summary": summary, "responses": _responses(good, 200, _ENTRY)}
    return {"parameters": [_ENV, _RUN], "get": operation}


def _responses(good: type[BaseModel], status: int, refusals: tuple[int, ...]) -> Document:
    told = {str(status): {"description": "Done." if status == 200 else "Queued.", "content": _json(good)}}  # noqa: PLR2004
    return told | {str(each): _refusal(each) for each in sorted(refusals)}


def _refusal(status: int) -> Document:
    return {"description": _CODES[status], "content": _json(FailureAnswer)}


def _json(model: type[BaseModel]) -> Document:
    return {"application/json": {"schema": _reference(model)}}


def _reference(model: type[BaseModel]) -> Document:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


_ENV: Final[Document] = {
    "name": "env",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": ["dev", "prod"]},
}
_RUN: Final[Document] = {"name": "runId", "in": "path", "required": True, "schema": {"type": "string"}}
