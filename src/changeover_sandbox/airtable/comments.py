"""Comments on records (AT-22); a comment never counts as a change of its record."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.ids import iso, new_id

_MENTION = re.compile(r"@\[(usr[A-Za-z0-9]{14})\]")


@dataclass(slots=True)
class Comment:
    """One comment; instants in milliseconds after 1970."""

    id: str
    text: str
    author: dict[str, str]
    created: int
    updated: int | None = None
    parent: str | None = None
    reactions: list[dict[str, object]] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The shape of the API."""
        body: dict[str, object] = {
            "id": self.id,
            "text": self.text,
            "createdTime": iso(self.created),
            "lastUpdatedTime": None if self.updated is None else iso(self.updated),
            "author": self.author,
            "reactions": self.reactions,
        }
        if mentioned := self._mentioned():
            body["mentioned"] = mentioned
        return body | ({"parentCommentId": self.parent} if self.parent else {})

    def _mentioned(self) -> dict[str, object]:
        """Only the token's owner is known here; ids of others stay plain text."""
        ids = [one for one in _MENTION.findall(self.text) if one == self.author["id"]]
        return {
            one: {"id": one, "type": "user", "displayName": self.author["name"], "email": self.author["email"]}
            for one in ids
        }


@dataclass(slots=True)
class Thread:
    """All comments of one record, oldest first."""

    comments: list[Comment] = field(default_factory=list)

    def add(self, body: object, author: Mapping[str, str], now: int) -> Comment:
        """A new comment, or an answer to one; raises ApiError."""
        parent = body.get("parentCommentId") if isinstance(body, Mapping) else None
        if parent is not None:
            self.find(str(parent))
        comment = Comment(new_id("com"), _text(body), dict(author), now, parent=str(parent) if parent else None)
        self.comments.append(comment)
        return comment

    def edit(self, comment_id: str, body: object, now: int) -> Comment:
        """Another text for a comment; raises ApiError."""
        comment = self.find(comment_id)
        comment.text, comment.updated = _text(body), now
        return comment

    def remove(self, comment_id: str) -> None:
        """Delete a comment; raises ApiError."""
        self.comments.remove(self.find(comment_id))

    def page(self, offset: str, size: int) -> tuple[list[Comment], str | None]:
        """Comments from newest to oldest, and the offset of the next page; raises ApiError for one that is gone."""
        newest = list(reversed(self.comments))
        start = newest.index(self.find(offset)) if offset else 0
        rest = newest[start + size :]
        return newest[start : start + size], rest[0].id if rest else None

    def react(self, comment_id: str, emoji: str, user: Mapping[str, str]) -> Comment:
        """A person's reaction, which only the interface can make; `emoji` is one character or several joined."""
        comment = self.find(comment_id)
        code = "-".join(f"{ord(one):x}" for one in emoji)
        who = {"userId": user["id"], "email": user["email"], "name": user["name"]}
        comment.reactions.append({"emoji": {"unicodeCharacter": code}, "reactingUser": who})
        return comment

    def find(self, comment_id: str) -> Comment:
        """The comment with this id; raises ApiError."""
        for comment in self.comments:
            if comment.id == comment_id:
                return comment
        raise errors.not_found()

    def dump(self) -> list[dict[str, object]]:
        """What is stored."""
        return [asdict(comment) for comment in self.comments]


def _text(body: object) -> str:
    text = body.get("text") if isinstance(body, Mapping) else None
    if not isinstance(text, str) or not text:
        raise errors.invalid_request()
    return text
