"""Random lives of a flow between two clients, with the official SDK, against a model that is read in a minute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from flow_driver import content, new_flow
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sdk import Sdk, another, refused
from support import flow as flow_text

CLIENTS = st.sampled_from((0, 0, 0, 1))
"""Who acts: mostly the first client, so that not every other call is only refused."""
LIVES = int(os.environ.get("FLOW_LIVES", "20"))
"""How many random lives are lived; ``FLOW_LIVES=500`` for a long run."""


@dataclass
class Model:
    """What a flow must be, from the facts alone (§3.1)."""

    lock: int | None = None
    says: list[str] = field(default_factory=list)
    """What each version's greeting says; version 1 first."""
    kinds: list[str] = field(default_factory=list)
    saved: int | None = None
    checked_in: int | None = None
    published: int | None = None

    def add(self, says: str, kind: str) -> int:
        self.says.append(says)
        self.kinds.append(kind)
        return len(self.says)

    def locked_out(self, who: int) -> bool:
        return self.lock not in (None, who)

    def listed(self) -> dict[str, str]:
        """Version → type, without drafts that were dropped or replaced."""
        return {
            f"{number}.0": kind for number, kind in enumerate(self.kinds, 1) if kind != "SAVE" or number == self.saved
        }

    def check_in(self) -> None:
        """The draft becomes a version."""
        self.checked_in = self.saved
        if self.saved is not None and self.kinds[self.saved - 1] == "SAVE":
            self.kinds[self.saved - 1] = "CHECKIN"

    def publish(self, number: int) -> None:
        """In place if that version is the one that was checked in last and never published; as a copy otherwise."""
        if self.kinds[number - 1] != "CHECKIN" or number != self.checked_in:
            number = self.add(self.says[number - 1], "PUBLISH")
        self.kinds[number - 1] = "PUBLISH"
        self.saved = self.checked_in = self.published = number
        self.lock = None


class FlowLife(RuleBasedStateMachine):
    """Two clients work on one flow."""

    sessions: ClassVar[tuple[Sdk, Sdk]]

    @initialize()
    def begin(self) -> None:
        self.model, self.count = Model(), 0
        self.flow = new_flow(self.sessions[0])
        self.name = self.sessions[0].architect.get_flow(self.flow).name

    def expect(self, refusal: str | None, call, *arguments, **named):
        """A call that must be refused with a code, or must work (None)."""
        if refusal is None:
            return call(*arguments, **named)
        assert refused(call, *arguments, **named) == (409, f"architect.flow.{refusal}")
        return None

    def own(self, who: int) -> str | None:
        """Why this client cannot do what needs its own lock."""
        if self.model.locked_out(who):
            return "locked.by.user"
        return "not.locked.by.user" if self.model.lock is None else None

    def text(self) -> str:
        self.count += 1
        return f"Text {self.count}."

    @rule(who=CLIENTS)
    def check_out(self, who):
        refusal = "locked.by.user" if self.model.locked_out(who) else None
        self.expect(refusal, self.sessions[who].architect.post_flows_actions_checkout, self.flow)
        if refusal is None:
            self.model.lock = who

    @rule(who=CLIENTS)
    def save(self, who):
        refusal, says = self.own(who), self.text()
        made = self.expect(refusal, self.sessions[who].architect.post_flow_versions, self.flow, content(says))
        if refusal is None:
            self.model.saved = self.model.add(says, "SAVE")
            assert (made.id, made.type) == (f"{self.model.saved}.0", "SAVE")
            assert made.created_by_client.id == self.sessions[who].client_id

    @rule(who=CLIENTS)
    def check_in(self, who):
        refusal = self.own(who) or ("cannot.checkin.missing.config" if self.model.saved is None else None)
        done = self.expect(refusal, self.sessions[who].architect.post_flows_actions_checkin, self.flow)
        if refusal is None:
            assert (done.action_name, done.action_status, done.complete) == ("CHECKIN", "SUCCESS", True)
            self.model.check_in()
            self.model.lock = None

    @rule(who=CLIENTS)
    def publish(self, who):
        model = self.model
        refusal = "locked.by.user" if model.locked_out(who) else None
        if refusal is None and (model.checked_in is None or model.saved != model.checked_in):
            refusal = "not.checked.in"
        self.expect(refusal, self.sessions[who].architect.post_flows_actions_publish, self.flow)
        if refusal is None:
            model.publish(model.checked_in)

    @rule(who=CLIENTS, data=st.data())
    def publish_a_version(self, who, data):
        model = self.model
        number = data.draw(st.integers(1, len(model.says) + 1), label="version")
        refusal = "locked.by.user" if model.locked_out(who) else None
        if refusal is None and (number > len(model.says) or model.kinds[number - 1] == "SAVE"):
            refusal = "not.checked.in"
        publish = self.sessions[who].architect.post_flows_actions_publish
        self.expect(refusal, publish, self.flow, version=f"{number}.0")
        if refusal is None:
            model.publish(number)

    @rule(who=CLIENTS)
    def revert(self, who):
        refusal = self.own(who)
        self.expect(refusal, self.sessions[who].architect.post_flows_actions_revert, self.flow)
        if refusal is None:
            self.model.saved, self.model.lock = self.model.checked_in, None

    @rule(who=CLIENTS)
    def unlock(self, who):
        self.sessions[who].architect.post_flows_actions_unlock(self.flow)
        self.model.check_in()
        self.model.lock = None

    @rule(who=CLIENTS)
    def deactivate(self, who):
        refusal = "locked.by.user" if self.model.locked_out(who) else None
        self.expect(refusal, self.sessions[who].architect.post_flows_actions_deactivate, self.flow)
        if refusal is None:
            self.model.published = None

    @rule(who=CLIENTS)
    def deploy(self, who):
        says = self.text()
        state = self.sessions[who].deploy(flow_text(self.name, says=says))
        if self.model.locked_out(who):
            assert state.status == "Failure"
            assert "is locked by another entity" in state.messages[0].text
        else:
            assert (state.status, state.flow.id) == ("Success", self.flow)
            self.model.checked_in = self.model.add(says, "CHECKIN")
            self.model.publish(self.model.checked_in)

    @invariant()
    def the_flow_is_as_the_model_says(self):
        model, sdk = self.model, self.sessions[0]
        flow = sdk.architect.get_flow(self.flow)
        holder = None if model.lock is None else self.sessions[model.lock].client_id
        assert (flow.locked_client.id if flow.locked_client else None) == holder
        assert flow.active == (model.published is not None)
        for version, number in (
            (flow.saved_version, model.saved),
            (flow.checked_in_version, model.checked_in),
            (flow.published_version, model.published),
        ):
            assert (version.id if version else None) == (f"{number}.0" if number else None)

    @invariant()
    def its_versions_are_as_the_model_says(self):
        listed = self.sessions[1].architect.get_flow_versions(self.flow, page_size=100).entities
        assert {version.id: version.type for version in listed} == self.model.listed()
        # Published since its publication and until the next one or until it was taken down.
        running = [version.id for version in listed if version.date_published and not version.date_published_end]
        assert running == ([f"{self.model.published}.0"] if self.model.published else [])

    @invariant()
    def what_is_published_says_what_was_meant(self):
        if self.model.published is not None:
            configuration = self.sessions[0].architect.get_flow_version_configuration(
                self.flow, f"{self.model.published}.0"
            )
            assert configuration["inboundCall"]["initialGreeting"]["tts"] == self.model.says[self.model.published - 1]


@pytest.fixture
def colleague(sdk: Sdk) -> Iterator[Sdk]:
    session = another(sdk, name="Colleague")
    yield session
    session.close()


def test_two_clients_and_a_flow_always_stand_as_the_model_says(sdk, colleague):
    FlowLife.sessions = (sdk, colleague)
    run_state_machine_as_test(
        FlowLife,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
