"""Bases made through the API, and what the API tells about a base; it keeps none."""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from changeover_sandbox.airtable import errors, schema
from changeover_sandbox.airtable.ids import is_id, iso, new_id
from changeover_sandbox.airtable.model import Base

_FIRST_DAY: Final = 1_767_225_600_000  # bases that were there before the sandbox are as old as 2026


def create_base(body: object, now: int) -> Base:
    """A base with its tables; any well-formed workspace id is one of the token's owner; raises ApiError."""
    if not isinstance(body, Mapping) or set(body) != {"name", "workspaceId", "tables"}:
        raise errors.invalid_request()
    name, workspace, tables = body["name"], body["workspaceId"], body["tables"]
    if not isinstance(name, str) or not name.strip() or not isinstance(tables, list) or not tables:
        raise errors.invalid_request()
    if not isinstance(workspace, str) or not is_id(workspace, "wsp"):
        raise errors.forbidden()
    made = Base(new_id("app"), name, created=now, workspace=workspace)
    for table in tables:
        schema.create_table(made, table)
    return made


def described(base: Base, owner: Mapping[str, str], include: AbstractSet[str]) -> dict[str, object]:
    """The shape of `Get base collaborators`: the token's owner is the only one here."""
    body: dict[str, object] = {
        "id": base.id,
        "name": base.name,
        "createdTime": iso(base.created or _FIRST_DAY),
        "permissionLevel": "create",
        "workspaceId": base.workspace or _workspace(owner),
    }
    if "collaborators" in include:
        body["individualCollaborators"] = {"baseCollaborators": [], "workspaceCollaborators": [_owner(owner)]}
        body["groupCollaborators"] = {"baseCollaborators": [], "workspaceCollaborators": []}
    if "inviteLinks" in include:
        body["inviteLinks"] = {"baseInviteLinks": [], "workspaceInviteLinks": []}
    return body | ({"interfaces": {}} if "interfaces" in include else {})


def _owner(owner: Mapping[str, str]) -> dict[str, object]:
    return {
        "userId": owner["id"],
        "email": owner["email"],
        "name": owner["name"],
        "permissionLevel": "owner",
        "createdTime": iso(_FIRST_DAY),
        "grantedByUserId": owner["id"],
    }


def _workspace(owner: Mapping[str, str]) -> str:
    """Made up, but always the same for the same owner."""
    return "wsp" + hashlib.sha256(owner["id"].encode("ascii")).hexdigest()[:14]
