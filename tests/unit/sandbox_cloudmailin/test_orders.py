"""What an order to send a mail may say, and what is refused."""

import pytest
from pydantic import ValidationError

from changeover_sandbox.cloudmailin.orders import AttachmentKey, Format, SendOrder

TARGET = "http://127.0.0.1:1/webhooks/csv-email"


def _order(**more: object) -> SendOrder:
    return SendOrder.model_validate({"target": TARGET, "to": "reports@example.test", **more})


def test_little_has_to_be_said() -> None:
    order = _order(**{"from": "desk@itrip.example.test"})
    assert (order.sender, order.format, order.attachment_key) == (
        "desk@itrip.example.test",
        Format.MULTIPART,
        AttachmentKey.LIST,
    )
    assert (order.timeout, order.plain, order.html, order.recipients) == (10.0, "", None, None)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"attachments": [{"file_name": "a.csv", "content_base64": "", "colour": "red"}]}, "colour"),
        ({"format": "xml"}, "format"),
        ({"fault": "fire"}, "fault"),
        ({"attachment_key": "files"}, "attachment_key"),
        ({"timeout": 0}, "timeout"),
        ({"target": "ftp://example.test/x"}, "target"),
        ({"target": "http:///x"}, "target"),
        ({"target": "http://127.0.0.1:99999/x"}, "target"),
        ({"to": None}, "to"),
        ({"spf": {"result": "pass", "colour": "red"}}, "colour"),
        ({"attachments": [{"file_name": "a.csv"}]}, "content_base64 or url"),
        ({"attachments": [{"file_name": "a.csv", "content_base64": "", "url": "https://x.test"}]}, "or url"),
        ({"attachments": [{"url": "https://store.example.test/a"}]}, "file_name"),
        ({"attachments": [{"file_name": "a.csv", "content_base64": "a b"}]}, "attachments.0"),
        ({"attachments": [{"file_name": "a.csv", "content_base64": "YQ"}]}, "attachments.0"),
        ({"attachments": [{"file_name": "€.csv", "file_name_charset": "latin-1", "content_base64": ""}]}, "latin-1"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(more: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named.replace(".", r"\.")):
        _order(**more)
