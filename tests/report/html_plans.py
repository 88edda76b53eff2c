"""Plans for the tests of the page: one of everything, and large ones."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.engine.document import (
    Action,
    Change,
    Difference,
    Drift,
    OrgRef,
    Plan,
    Precondition,
    Reach,
    ReachedIvr,
    SourceRef,
    Summary,
    UnmanagedConsumer,
)
from reconciler.problems import Finding, Severity


def change(address, action, *reasons, after=(), diff=(), basis=None):
    kind, _, name = address.partition("/")
    return Change(
        address=address,
        kind=kind,
        name=name,
        action=action,
        reasons=reasons,
        depends_on=after,
        precondition=Precondition(absent=True) if action is Action.CREATE else Precondition(id="i", version="3.0"),
        diff=diff,
        diff_basis=basis,
    )


def plan(changes, *, unchanged=3, **more):
    counts = {action.value: sum(1 for c in changes if c.action is action) for action in Action}
    return Plan(
        **{
            "id": "4f2a90c1d7e3",
            "created_at": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
            "tool_version": "0.1.0",
            "environment": "prod",
            "org": OrgRef(id="3d1f6c52-7a0e-4d0b-9a53-0c3b1f0e8d00", name="Brackenmoor Energy"),
            "source": SourceRef(commit="862a734763601c7a89fe4e0905334c33a84f3527", dirty=True, digest="d"),
            "summary": Summary(**counts, unchanged=unchanged),
            "changes": tuple(changes),
            **more,
        }
    )


GREETING = (
    "Welcome to Brackenmoor Energy. We are closed at the moment. Our lines are open from eight in the morning until "
    "six in the evening, Monday to Friday."
)
REACHED = (
    ReachedIvr(address="ivr/Business Line", numbers=("+441632960110",), managed=True),
    ReachedIvr(address="ivr/Old Sales Line", numbers=("+441632960199",), managed=False),
)


def everything():
    """Each action, and every kind of thing that a plan can say beside its changes."""
    module, menu, hours = "commonModule/Authenticate Caller", "inboundCall/Business", "schedule/Summer Fête"
    task = {
        "task": {
            "name": "Say sorry",
            "actions": [
                {"playAudio": {"name": "Sorry", "audio": {"tts": "Sorry, we could not find your account."}}},
                {"disconnect": {"name": "Goodbye"}},
            ],
        }
    }
    return plan(
        [
            change(
                module,
                Action.UPDATE,
                "the spec changed",
                basis="last applied spec",
                diff=(
                    Difference(
                        path="/commonModule/startUpTaskActions/0/collectInput/inputAudio/tts",
                        op="change",
                        before="Now enter your four-digit PIN.",
                        after="Please enter your four-digit PIN.",
                        text='start-up task: "Ask for the PIN" now says "Please enter your four-digit PIN."',
                    ),
                    Difference(
                        path="/commonModule/startUpTaskActions/1/playAudio/audio/tts",
                        op="change",
                        before=GREETING,
                        after=GREETING.replace("closed", "very busy").replace("six", "eight"),
                        text='start-up task: "Closed" says other words',
                        detail="We are [-closed-]{+very busy+} at the moment.",
                    ),
                    Difference(
                        path="/commonModule/tasks/1", op="add", after=task, text='new task "Say sorry" with two actions'
                    ),
                ),
            ),
            change(menu, Action.REPUBLISH, f"holds {module}, which this plan publishes", after=(module,)),
            change(hours, Action.CREATE, "is not in the org"),
            change(
                "ivr/Business Line",
                Action.UPDATE,
                "somebody changed it in the org",
                after=(menu,),
                basis="live fields",
                diff=(
                    Difference(
                        path="dnis", op="change", before=["+441632960110"], after=["+441632960110", "+441632960111"]
                    ),
                ),
            ),
            change("inqueueCall/Waiting", Action.ADOPT, "means the same in the org"),
            change("workflow/Look Up", Action.DELETE, "is in the specs no longer"),
        ],
        drift=(
            Drift(
                address="ivr/Business Line",
                recorded_version="4",
                live_version="5",
                published_by="Ada Lindqvist",
                published_at="2026-11-18T14:05:00Z",
                diff=(
                    Difference(
                        path="dnis", op="change", before=["+441632960110", "+441632960111"], after=["+441632960110"]
                    ),
                ),
            ),
            Drift(address="inboundCall/Power Cut", recorded_version="2.0", live_version=None),
        ),
        unmanaged=("inboundCall/Old Sales", "inboundCall/Test of Tuesday"),
        reach=(
            Reach(
                address=module,
                consumers=(menu, "inboundCall/Transfers Here"),
                ivrs=REACHED,
                unmanaged=(UnmanagedConsumer(address="inboundCall/Old Sales", id="o", version="7.0", holds=module),),
            ),
            Reach(address=menu, consumers=("inboundCall/Transfers Here",), ivrs=REACHED[:1]),
            Reach(address="ivr/Business Line", ivrs=REACHED[:1]),
        ),
        findings=(
            Finding(
                id="not-checkable",
                severity=Severity.INFO,
                address=menu,
                file="flows/business/business.yaml",
                line=150,
                column=47,
                message="The queue 'Flow.teamQueue' is computed when a call runs and was not checked.",
            ),
            Finding(
                id="unmanaged-consumer",
                severity=Severity.WARNING,
                address=module,
                message="inboundCall/Old Sales keeps the old copy of the module.",
                remedy="Publish it again, for example with `apply --republish-unmanaged`.",
            ),
        ),
    )


def large(count, differences=10):
    """Modules, flows that hold two of them each, and an IVR for every fifth flow."""
    modules = max(count // 20, 1)
    ivrs = count // 6
    flows = count - modules - ivrs
    names = [f"commonModule/Module {number:03}" for number in range(modules)]
    diff = tuple(
        Difference(
            path=f"/inboundCall/tasks/{n}/task/actions/{n + 2}/playAudio/audio/tts",
            op="change",
            before=f"Thank you for calling. Your call is number {n} in the queue, please hold the line.",
            after=f"Thank you for your call. You are number {n} in the queue, please stay with us.",
            text=f'task Main: "Announcement {n}" now says "Thank you for your call. You are number {n} in the queue …"',
        )
        for n in range(differences)
    )
    held = {n: (names[n % modules], names[(n * 7 + 3) % modules]) for n in range(flows)}
    lines = {n: ReachedIvr(address=f"ivr/Line {n:04}", numbers=(f"+4416329{n:05}",), managed=True) for n in range(ivrs)}
    of_module = {name: [n for n, (first, second) in held.items() if name in (first, second)] for name in names}
    changes = [
        *(change(name, Action.UPDATE, "the spec changed", diff=diff, basis="last applied spec") for name in names),
        *(
            change(
                f"inboundCall/Flow {n:04}",
                (Action.REPUBLISH, Action.UPDATE, Action.CREATE)[n % 3],
                f"holds {held[n][0]}, which this plan publishes",
                after=tuple(dict.fromkeys(held[n])),
                diff=diff,
                basis="last applied spec",
            )
            for n in range(flows)
        ),
        *(
            change(line.address, Action.UPDATE, "the spec changed", after=(f"inboundCall/Flow {n:04}",), diff=diff)
            for n, line in lines.items()
        ),
    ]
    reach = [
        *(
            Reach(
                address=name,
                consumers=tuple(f"inboundCall/Flow {n:04}" for n in users),
                ivrs=tuple(lines[n] for n in users if n in lines),
            )
            for name, users in of_module.items()
        ),
        *(Reach(address=f"inboundCall/Flow {n:04}", ivrs=(line,)) for n, line in lines.items()),
        *(Reach(address=line.address, ivrs=(line,)) for line in lines.values()),
    ]
    return plan(changes, reach=tuple(reach))
