"""docs/notifications.md holds what the code does: its keys, its events, and a receiver that can be copied."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from receiver import notification

from reconciler.notify import making, outbox, sending
from reconciler.notify.delivery import GRACE
from reconciler.notify.document import Notification
from reconciler.notify.sending import attempt
from reconciler.notify.signing import key_of, signature
from reconciler.notify.targets import GROUP, target_of
from reconciler.specs import Hook
from reconciler.specs.hooks import EVENTS

PAGE = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")


def section(heading):
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text):
    return [row.strip("| ").split(" | ") for row in re.findall(r"^\| `.*", text, flags=re.MULTILINE)]


def models_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def test_every_key_of_the_document_is_told_and_no_other():
    told = {name: " ".join(row[1:]) for row in rows(section("The document")) for name in CODE.findall(row[0])}

    assert set(told) == set(Notification.model_fields)
    for name, field in Notification.model_fields.items():
        for model in models_in(field.annotation):
            missing = set(model.model_fields) - set(CODE.findall(told[name]))
            assert not missing, f"{name} does not tell {missing}"


def test_every_event_is_told_and_no_other():
    assert {name for row in rows(section("Events")) for name in CODE.findall(row[0])} == set(EVENTS)


def test_the_numbers_are_those_of_the_code():
    kept = section("What does not arrive")
    assert f"**up to {GRACE:.0f} seconds**" in kept
    assert f"at most {sending.SECONDS:.0f} seconds, a handler {sending.HANDLER_SECONDS:.0f}" in kept
    document = section("The document")
    for most in (making.CHANGES_TOLD, making.FAILURES_TOLD, making.IVRS_TOLD, making.DRIFT_TOLD):
        assert f"At most {most}" in document
    assert GROUP in section("Code of your own")
    assert outbox.PATIENCE > sending.SECONDS


@pytest.fixture(scope="module")
def is_ours():
    """The receiver's function, as it stands on the page."""
    (code,) = re.findall(r"```python\n(import.*?)```", section("Signatures"), flags=re.DOTALL)
    names = {}
    exec(compile(code, "docs/notifications.md", "exec"), names)
    return names["is_ours"]


@pytest.mark.parametrize("secret", ["a long key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_the_receiver_of_the_page_takes_ours_and_nothing_else(is_ours, receiver, secret):
    hook = Hook.model_validate({"url": receiver.url, "secret": {"env": "KEY"}})
    assert attempt(target_of("pager", hook, {"KEY": secret}), notification()).delivered

    (got,) = receiver.got
    assert got.headers["webhook-id"] == got.json["id"]
    assert is_ours(got.headers, got.body, secret)
    tampered = got.body.replace(b'"applied"', b'"failed"')
    assert tampered != got.body
    assert not is_ours(got.headers, tampered, secret)
    assert not is_ours(got.headers, got.body, "another key")
    assert not is_ours({**got.headers, "webhook-id": "msg_other"}, got.body, secret)
    assert not is_ours({**got.headers, "webhook-timestamp": str(int(time.time()) - 1)}, got.body, secret)
    assert not is_ours(got.headers, got.body, secret, now=time.time() + 301)
    assert not is_ours({}, got.body, secret)


@pytest.mark.parametrize("none", ["", "whsec_"])
def test_the_receiver_of_the_page_takes_nothing_where_its_key_is_not_set(is_ours, none):
    sent = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time()))}
    forged = {**sent, "webhook-signature": signature("msg_1", int(sent["webhook-timestamp"]), b"{}", b"")}
    assert not is_ours(forged, b"{}", none)


def test_nonsense_from_strangers_does_not_break_the_receiver_of_the_page(is_ours):
    sent = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,\xe9 \udcff"}
    assert not is_ours(sent, b"{}", "a key")
    assert not is_ours({**sent, "webhook-timestamp": "9" * 5000}, b"{}", "a key")


def test_the_signature_is_the_one_that_standard_webhooks_publish():
    """The example of the convention's own libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', key)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_empty_key_which_everybody_has_signs_nothing(receiver):
    hook = Hook.model_validate({"url": receiver.url, "secret": {"env": "KEY"}})
    made = attempt(target_of("pager", hook, {"KEY": "whsec_"}), notification())
    assert made.problem == "The value of KEY is no key: nothing follows whsec_"
    assert receiver.got == []


def test_without_a_secret_nothing_is_signed(receiver):
    hook = Hook.model_validate({"url": receiver.url})
    attempt(target_of("pager", hook, {}), notification())
    assert "webhook-signature" not in receiver.got[0].headers
