"""How one process delivers to receivers that fail in every way, and how people see to what is left."""

from __future__ import annotations

import ssl
import sys
import textwrap
import threading
import time

import pytest
import trustme
from receiver import SILENT, notification, receiving

from reconciler.notify import delivery, sending
from reconciler.notify.delivery import Delivery
from reconciler.notify.outbox import Outbox
from reconciler.notify.targets import target_of
from reconciler.specs import Hook


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox")


def target(url="", name="pager", **keys):
    given = {"url": url} if url else {}
    return target_of(name, Hook.model_validate({**given, "events": ["started", "applied"], **keys}), {})


def deliver(outbox, *targets, events=("applied",)):
    """Tells the events and ends; what was not delivered, and how long the end took."""
    made = Delivery(outbox, {each.name: each for each in targets})
    for event in events:
        made.put(notification(event))
    began = time.monotonic()
    made.close()
    return made.undelivered, time.monotonic() - began


def events_kept(outbox):
    return [entry.kept.notification.event for entry in outbox.entries()[0]]


def test_a_receiver_that_fails_for_a_while_gets_it_in_the_end_and_in_order(outbox, receiver):
    receiver.answers = [(500, {}), (503, {})]

    left, _ = deliver(outbox, target(receiver.url), events=("started", "applied"))

    assert left == []
    assert receiver.events == ["started", "started", "started", "applied"]
    assert len({got.headers["webhook-id"] for got in receiver.got[:3]}) == 1
    assert events_kept(outbox) == []


def test_a_receiver_that_is_busy_is_left_alone_for_as_long_as_it_says(outbox, receiver):
    receiver.answers = [(429, {"Retry-After": "1"})]

    left, _ = deliver(outbox, target(receiver.url))

    first, second = receiver.got
    assert second.at - first.at >= 1
    assert left == []


@pytest.mark.parametrize("after", ["600", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_one_that_wants_to_be_left_alone_for_longer_than_there_is_time_is_not_waited_for(outbox, receiver, after):
    receiver.always = (503, {"Retry-After": after})
    receiver.says = b"key-canary-4c"

    hook = Hook.model_validate({"url": receiver.url, "secret": {"env": "KEY"}})
    left, took = deliver(outbox, target_of("pager", hook, {"KEY": "key-canary-4c"}))

    assert took < 4
    assert len(receiver.got) == 1
    assert left[0].problem == "HTTP 503: (secret)"
    assert events_kept(outbox) == ["applied"]


@pytest.mark.parametrize(
    ("status", "says", "problem"),
    [
        (400, b"no_service", "HTTP 400: no_service"),
        (404, b"<html>https://secret.example.com/x</html>", "HTTP 404"),
        (403, b"Unknown token path-canary-5d1c", "HTTP 403: Unknown token (secret)"),
        (302, b"", "HTTP 302: it redirects, which is not followed"),
    ],
)
def test_what_is_refused_for_good_is_tried_once_and_holds_up_nothing(outbox, receiver, status, says, problem):
    receiver.answers = [(status, {"Location": receiver.url})]
    receiver.says = says

    left, _ = deliver(outbox, target(receiver.url), events=("started", "applied"))

    assert receiver.events == ["started", "applied"]
    assert [item.problem for item in left] == [problem]
    assert events_kept(outbox) == ["started"]


def test_a_hook_that_hangs_holds_up_no_other(outbox, receiver, short_grace):
    with receiving() as silent:
        silent.always = (SILENT, {})
        left, took = deliver(outbox, target(silent.url, "silent"), target(receiver.url, "other"))

    assert receiver.events == ["applied"]
    assert [item.target.name for item in left] == ["silent"]
    assert took < 4


def test_an_answer_that_comes_in_drops_is_not_waited_for(outbox, receiver, monkeypatch):
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    receiver.always = (SILENT, {})

    made = sending.attempt(target(receiver.url), notification())

    assert (made.delivered, made.again) == (False, True)


def test_it_is_sent_although_it_cannot_be_written_down(tmp_path, receiver):
    (tmp_path / "outbox").write_text("a file where the folder should be", encoding="utf-8")

    left, _ = deliver(Outbox(tmp_path / "outbox"), target(receiver.url))

    assert left == []
    assert receiver.events == ["applied"]


def test_what_another_process_delivered_is_not_sent_again(outbox, receiver):
    entry = outbox.keep("pager", notification())
    outbox.drop(entry)

    assert delivery.deliver(outbox, target(receiver.url), entry.kept.notification, entry).delivered
    assert receiver.got == []


def test_while_another_process_sends_nothing_is_sent(outbox, receiver, monkeypatch):
    monkeypatch.setattr("reconciler.notify.outbox.PATIENCE", 0.1)
    entry = outbox.keep("pager", notification())
    with outbox.turn("pager") as mine:
        assert mine
        made = delivery.deliver(outbox, target(receiver.url), entry.kept.notification, entry)
    assert (made.delivered, made.again) == (False, True)
    assert receiver.got == []


# --- certificates


def test_certificates_are_verified_by_those_that_the_machine_trusts(tmp_path, monkeypatch):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with receiving(context) as receiver:
        url = receiver.url.replace("http:", "https:")
        assert sending.attempt(target(url), notification()).problem == "its certificate is not trusted"
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert sending.attempt(target(url), notification()).delivered


def test_other_hosts_are_reached_through_the_usual_proxy(receiver, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{receiver.port}")

    made = sending.attempt(target("https://hooks.example.com/path"), notification())

    assert made.problem == "the proxy refused"  # The receiver is no proxy, but it was asked.


# --- handlers


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a package whose entry point ``desk`` is this code's ``tell``."""

    def install(code):
        packages = tmp_path / "packages"
        (packages / "acme_desk-1.dist-info").mkdir(parents=True)
        (packages / "acme_desk.py").write_text(textwrap.dedent(code), encoding="utf-8")
        (packages / "acme_desk-1.dist-info/METADATA").write_text("Name: acme-desk\nVersion: 1\n", encoding="utf-8")
        (packages / "acme_desk-1.dist-info/entry_points.txt").write_text(
            "[reconciler.notify_handlers]\ndesk = acme_desk:tell\n", encoding="utf-8"
        )
        monkeypatch.syspath_prepend(str(packages))
        monkeypatch.delitem(sys.modules, "acme_desk", raising=False)
        return target(name="desk", handler="desk")

    return install


def test_a_handler_gets_the_document(outbox, installed):
    found = installed("got = []\ntell = got.append\n")

    left, _ = deliver(outbox, found)

    assert left == []
    (told,) = sys.modules["acme_desk"].got
    assert (told["event"], told["who"]) == ("applied", "ann@desk")


def test_an_error_of_a_handler_is_told_without_the_addresses_in_it(outbox, installed, short_grace):
    found = installed("def tell(told): raise RuntimeError('403 for https://desk.example.com/?key=hunter2')")

    left, _ = deliver(outbox, found)

    assert left[0].problem == "RuntimeError: 403 for (address)"
    assert events_kept(outbox) == ["applied"]


def test_nor_is_one_told_that_an_error_tells_in_two_pieces(outbox, installed, short_grace):
    """As requests and urllib3 do."""
    said = "HTTPSConnectionPool(host=hooks.slack.com, port=443): Max retries exceeded with url: /services/T0/B0/hunter2"
    left, _ = deliver(outbox, installed(f"def tell(told): raise RuntimeError({said!r})"))

    assert left[0].problem.endswith("Max retries exceeded with url: (address)")


def test_a_handler_that_hangs_or_wants_to_leave_holds_up_nothing(outbox, installed, short_grace):
    found = installed(
        """\
        import threading
        def tell(told):
            if told["event"] == "started": raise SystemExit(7)
            threading.Event().wait(60)
        """
    )

    left, took = deliver(outbox, found, events=("applied",))

    assert took < 4
    assert left[0].problem == "no answer yet"


def test_a_handler_that_is_not_installed_is_told(outbox):
    left, _ = deliver(outbox, target(name="desk", handler="desk"))

    assert left[0].problem.startswith("There is no handler 'desk'")
    assert events_kept(outbox) == ["applied"]


# --- addresses


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://hooks.example.com/x", "The value of URL is plain http, which is only for this machine."),
        ("hooks.example.com", "The value of URL is no https address."),
        ("https://hooks.example.com/a b", "The value of URL is no https address."),
        ("https://[hooks.example.com/x", "The value of URL is no address."),
        ("https://me:pw@hooks.example.com/x", "The value of URL holds a user or a password, which is not sent."),
        ("", "URL is not set here."),
    ],
)
def test_an_address_that_nothing_may_be_sent_to_is_told_without_showing_it(address, why):
    hook = Hook.model_validate({"url": {"env": "URL"}})
    made = target_of("pager", hook, {"URL": address})
    assert made.problem == why
    assert "example" not in f"{made}{made.shown}"


def test_no_thread_is_left_behind(outbox, receiver):
    deliver(outbox, target(receiver.url))
    for thread in threading.enumerate():
        if thread.name.startswith("notify-pager"):
            thread.join(5)
    assert not any(thread.name.startswith("notify-pager") for thread in threading.enumerate())


# --- the command


def keep(desk, *events):
    outbox = Outbox(desk.root / ".reconciler/notify/test")
    return [outbox.keep("pager", notification(event)) for event in events]


def test_a_test_message_shows_that_it_arrives(desk, cli, receiver):
    done = cli("notify", "--test", "pager")

    assert (done.code, receiver.events) == (0, ["test"])
    assert "delivered" in done.err
    assert "pager (127.0.0.1)" in done.err
    receiver.always = (404, {})
    failed = cli("notify", "--test")
    assert failed.code == 1
    assert "HTTP 404" in failed.err
    assert not (desk.root / ".reconciler/notify").exists()


def test_a_retry_that_fails_keeps_everything_in_order(desk, cli, receiver, monkeypatch):
    monkeypatch.setattr("reconciler.notify.again.TRIES", 1)
    keep(desk, "started", "applied")
    receiver.answers = [(500, {})]

    done = cli("notify", "--retry")

    assert done.code == 1
    assert receiver.events == ["started"]
    assert "HTTP 500" in done.err
    assert "waits for an earlier one" in done.err
    assert "2 notifications still kept" in done.err
    assert cli("notify", "--retry").code == 0
    assert receiver.events == ["started", "started", "applied"]


def test_a_hook_that_left_the_environment_can_only_be_dropped(desk, cli):
    keep(desk, "applied")
    desk.write("environments/test.yaml", "org: {region: eu-west-2}\n")

    again = cli("notify", "--retry")
    assert again.code == 1
    assert "the environment has no such hook" in again.err
    assert cli("notify", "--drop", "pager").code == 0
    assert cli("notify", "--format", "json").json["undelivered"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pagre",), "Did you mean `pager`?"),
        (("--retry", "--drop"), "do not go together"),
        (("--test", "--format", "json"), "is for the list"),
    ],
)
def test_a_wrong_use_is_told(desk, cli, arguments, says):
    done = cli("notify", *arguments)

    assert done.code == 1
    assert says in done.err


def test_the_list_names_other_environments_and_files_that_cannot_be_read(desk, cli):
    keep(desk, "applied")
    (desk.root / ".reconciler/notify/test").rename(desk.root / ".reconciler/notify/prod")
    desk.write(".reconciler/notify/test/broken.json", "{")

    said = cli("notify").err
    assert "Also kept: 1 notification of prod." in said
    assert ".reconciler/notify/test/broken.json cannot be read" in said
