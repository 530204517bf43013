"""The body of `POST /_sandbox/send`: what mail to post, in which format, to whom and how badly; it posts nothing."""

from base64 import b64decode
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

MAX_SECONDS = 600.0


class Format(StrEnum):
    """How the mail is written into the request (CM-3)."""

    MULTIPART = "multipart"
    JSON = "json"
    RAW = "raw"


class Fault(StrEnum):
    """What goes wrong on the way (CM-26).

    `drop-answer`: the answer is lost. `truncate`: the line breaks in the middle of the body. `wrong-length`: the whole
    body comes, but its length says more. `chunked`: nothing says how long it is. `slow`: 1 kB a second.
    """

    DROP_ANSWER = "drop-answer"
    TRUNCATE = "truncate"
    WRONG_LENGTH = "wrong-length"
    CHUNKED = "chunked"
    SLOW = "slow"


class AttachmentKey(StrEnum):
    """The name of an attachment's part; the last one counts up."""

    LIST = "attachments[]"
    PLAIN = "attachments"
    NUMBERED = "attachments[0]"


class NameCharset(StrEnum):
    """Which bytes a file name is made of where the format lets the sender choose."""

    UTF_8 = "utf-8"
    LATIN_1 = "latin-1"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AttachmentOrder(_Body):
    """A file of the mail: its content, or with `url` its place in a store. Without `file_name` a nameless part."""

    file_name: str | None = None
    file_name_charset: NameCharset = NameCharset.UTF_8
    content_type: str = "text/csv"
    content_base64: str | None = None
    url: str | None = None
    size: int | None = Field(default=None, ge=0)
    disposition: str = "attachment"
    content_id: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "AttachmentOrder":
        if (self.content_base64 is None) == (self.url is None):
            raise ValueError("an attachment has either content_base64 or url")
        if self.url is not None and self.file_name is None:
            raise ValueError("an attachment in a store has a file_name")
        if self.file_name_charset is NameCharset.LATIN_1:
            (self.file_name or "").encode("latin-1")
        _ = self.content
        return self

    @property
    def content(self) -> bytes:
        """The file itself, nothing of one in a store; ValueError for what is not base64."""
        return b64decode(self.content_base64 or "", validate=True)


class Spf(_Body):
    """Result and domain of the envelope's SPF check (CM-5); without a domain that of the envelope's sender."""

    result: str
    domain: str | None = None


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an http or https address")
    _ = parts.port  # out of range: ValueError
    return text


class SendOrder(_Body):
    """One mail to post. `date` None: now; `message_id` None: a new one; `plain` or `html` None: the part is missing.

    A header given here takes the place of the one of its name; several values repeat it. `dkim` and `dmarc` are the
    blocks CloudMailin adds on request, as they are.
    """

    target: Annotated[str, AfterValidator(_http_url)]
    format: Format = Format.MULTIPART
    to: str
    sender: str = Field(default="", alias="from")
    subject: str = ""
    attachments: tuple[AttachmentOrder, ...] = ()
    user: str | None = None
    password: str | None = None
    message_id: str | None = None
    date: str | None = None
    headers: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    plain: str | None = ""
    html: str | None = None
    recipients: tuple[str, ...] | None = None
    spf: str | Spf | None = "pass"
    dkim: JsonValue = None
    dmarc: JsonValue = None
    attachment_key: AttachmentKey = AttachmentKey.LIST
    timeout: float = Field(default=10.0, gt=0, le=MAX_SECONDS)
    fault: Fault | None = None
