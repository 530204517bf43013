"""Comments through pyairtable (AT-22)."""

import pytest
import requests


def test_comments_are_written_answered_changed_and_deleted(sandbox) -> None:
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    stays = sandbox.table("Stays")
    first = stays.add_comment(stay, "hello")
    answer = stays.add_comment(stay, "and hello", parent_comment_id=first.id)
    assert [one.text for one in stays.comments(stay)] == ["and hello", "hello"]
    assert answer.parent_comment_id == first.id
    assert (first.id[:3], first.last_updated_time, first.author.id) == ("com", None, sandbox.api.whoami()["id"])
    first.text = "changed"
    first.save()
    assert first.last_updated_time is not None
    assert [one.text for one in stays.comments(stay)] == ["and hello", "changed"]
    answer.delete()
    assert [one.text for one in stays.comments(stay)] == ["changed"]


def test_the_owner_of_the_token_can_be_mentioned(sandbox) -> None:
    stay = sandbox.seed("Stays", {})[0]
    me = sandbox.api.whoami()["id"]
    comment = sandbox.table("Stays").add_comment(stay, f"@[{me}] and @[usr{'x' * 14}]")
    assert list(comment.mentioned) == [me]


def test_a_comment_does_not_count_as_a_modification(sandbox) -> None:
    stay = sandbox.seed("Stays", {})[0]
    sandbox.clock.ahead += 60
    sandbox.table("Stays").add_comment(stay, "hello")
    assert sandbox.table("Stays").all(formula="LAST_MODIFIED_TIME()=CREATED_TIME()")


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 7}, []])
def test_a_comment_without_text_is_refused(sandbox, body: object) -> None:
    stay = sandbox.seed("Stays", {})[0]
    assert sandbox.call("POST", f"/Stays/{stay}/comments", body).status_code == 422


def test_an_unknown_comment_is_not_found(sandbox) -> None:
    stay = sandbox.seed("Stays", {})[0]
    assert sandbox.call("PATCH", f"/Stays/{stay}/comments/comNobody", {"text": "a"}).status_code == 404
    assert sandbox.call("DELETE", f"/Stays/{stay}/comments/comNobody").status_code == 404
    with pytest.raises(requests.HTTPError, match="404"):
        sandbox.table("Stays").add_comment(stay, "a", parent_comment_id="comNobody")
