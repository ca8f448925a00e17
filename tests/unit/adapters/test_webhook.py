"""What a team's own program is told: signed, to nobody else, and not for ever."""

from __future__ import annotations

import base64
import hmac
import socket
import time
from dataclasses import replace

import pytest
from slipway.adapters.webhook import SECRET, Webhook, signed
from slipway.errors import Unreachable, WebhookRefused

from tests.unit.adapters.receiver import receiver

_KEY = b"0123456789abcdef01234567"


def of(url: str) -> Webhook:
    return Webhook(url, _KEY, first_wait=0.0, silence=0.5)


def test_the_specification_s_own_example_has_its_signature() -> None:
    """A receiver checks with a library of its own choice: the vector is that of the reference libraries."""
    secret = {SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    key = Webhook.open("https://pager.example.org", secret).key
    headers = signed(b'{"test": 2432232314}', event="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, key=key)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_arrives_is_signed_as_it_arrives() -> None:
    """By the bytes, and by a time that a receiver can hold against its clock."""
    with receiver() as pager:
        of(pager.url).post(b'{"a": 1}', event="msg_1")
    [came] = pager.came
    stamp = came.headers["webhook-timestamp"]
    content = f"{came.headers['webhook-id']}.{stamp}.".encode() + came.body
    assert came.headers["webhook-id"] == "msg_1"
    assert abs(int(stamp) - time.time()) < 60
    assert came.headers["content-type"] == "application/json"
    expected = base64.b64encode(hmac.digest(_KEY, content, "sha256")).decode()
    assert came.headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_who_is_busy_is_asked_again_and_knows_that_it_is_the_same(status: int) -> None:
    """A minute of restart must not cost a message."""
    with receiver(status, status, 204) as pager:
        of(pager.url).post(b"{}", event="msg_1")
    assert [came.headers["webhook-id"] for came in pager.came] == ["msg_1"] * 3


def test_who_stays_away_is_not_asked_for_ever() -> None:
    """The watch has other models to look at."""
    with receiver(500, 500, 500, 500, 500) as pager, pytest.raises(Unreachable, match="answered 500"):
        of(pager.url).post(b"{}", event="msg_1")
    assert len(pager.came) == 3


def test_a_redirect_is_not_followed() -> None:
    """It would carry what was found to an address that nobody reviewed."""
    refused = pytest.raises(WebhookRefused, match="answered 307")
    with receiver() as elsewhere, receiver(307, to=elsewhere.url) as pager, refused:
        of(pager.url).post(b"{}", event="msg_1")
    assert elsewhere.came == []
    assert len(pager.came) == 1


def test_a_refusal_is_not_repeated() -> None:
    """Who does not know the signature will not know it a second later."""
    with receiver(401) as pager, pytest.raises(WebhookRefused, match="answered 401"):
        of(pager.url).post(b"{}", event="msg_1")
    assert len(pager.came) == 1


def test_nobody_there_and_nobody_who_answers_are_told_in_time() -> None:
    """A port that takes connections and says nothing would hold a run until GitHub ends it."""
    with socket.socket() as closed, socket.socket() as silent:
        closed.bind(("127.0.0.1", 0))
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for one in (closed, silent):
            url = f"http://127.0.0.1:{one.getsockname()[1]}/hook"
            with pytest.raises(Unreachable, match="does not answer"):
                replace(of(url), attempts=1, silence=0.2).post(b"{}", event="msg_1")


@pytest.mark.parametrize(
    "secret", ["", "geheim", "whsec_geheim!", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw"]
)
def test_a_secret_that_is_none_is_refused_and_not_printed(secret: str) -> None:
    """A key that nobody can guess has 24 bytes and more; without one nothing is sent."""
    with pytest.raises(WebhookRefused, match=SECRET) as refused:
        Webhook.open("https://pager.example.org", {SECRET: secret})
    assert not secret or secret not in str(refused.value)


def test_the_key_stands_in_no_text_of_the_webhook() -> None:
    """A traceback shows the values of a frame."""
    assert "0123456789" not in repr(of("https://pager.example.org"))
