"""Writes a mail as the RFC 5322 message that the sending server gave; it knows nothing of forms and requests."""

from email import errors
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32

from changeover_sandbox.cloudmailin.mail import Attachment, Mail
from changeover_sandbox.cloudmailin.orders import NameCharset

# The older message classes on purpose: they leave the charset of a file name as it was asked for.


class MessageError(ValueError):
    """A mail that no message can hold, e.g. a header with a line break."""


def message(mail: Mail) -> bytes:
    """The whole message, lines ended with CR LF; MessageError when it cannot be written."""
    root = MIMEMultipart("mixed")
    try:
        for name, values in mail.headers.items():
            for value in values:
                root[name] = value
        for kind, text in (("plain", mail.plain), ("html", mail.html)):
            if text is not None:
                root.attach(MIMEText(text, kind, "utf-8"))
        for attachment in mail.attachments:
            root.attach(_part(attachment))
        return root.as_bytes(policy=compat32.clone(linesep="\r\n"))
    except (errors.MessageError, ValueError) as exc:
        raise MessageError(str(exc)) from exc


def _part(attachment: Attachment) -> MIMEBase:
    main, _, sub = attachment.content_type.partition(";")[0].partition("/")
    part = MIMEBase(main.strip(), sub.strip() or "octet-stream")
    part.set_payload(attachment.content)
    encode_base64(part)
    if attachment.url is not None:
        raise MessageError("a raw message carries its files: none of them lies in a store")
    if attachment.file_name is None:
        part.add_header("Content-Disposition", attachment.disposition)
    elif attachment.charset is NameCharset.LATIN_1:
        name = ("iso-8859-1", "", attachment.file_name)
        part.add_header("Content-Disposition", attachment.disposition, filename=name)
    else:
        part.add_header("Content-Disposition", attachment.disposition, filename=attachment.file_name)
    if attachment.content_id is not None:
        part.add_header("Content-ID", attachment.content_id)
    return part
