"""What a base must hold: the schema file, setting a base up, comparing it, and the proof before a first write."""

from changeover.airtable.schema.check import Finding, FindingKind, blocked, check, compare
from changeover.airtable.schema.facts import SchemaFacts, load_facts
from changeover.airtable.schema.init import InitReport, init
from changeover.airtable.schema.spec import AUTOMATIONS, BaseSpec, FieldSpec, Owner, TableSpec, load
from changeover.airtable.schema.verify import (
    Verification,
    forget_verification,
    forget_what_an_error_spoils,
    marker,
    verify,
)

__all__ = [
    "AUTOMATIONS",
    "BaseSpec",
    "FieldSpec",
    "Finding",
    "FindingKind",
    "InitReport",
    "Owner",
    "SchemaFacts",
    "TableSpec",
    "Verification",
    "blocked",
    "check",
    "compare",
    "forget_verification",
    "forget_what_an_error_spoils",
    "init",
    "load",
    "load_facts",
    "marker",
    "verify",
]
