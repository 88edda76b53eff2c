"""Generates an estate of any size for measurements: common modules, flows of mixed types, IVRs.

Every flow is about 8 KB of YAML, as real ones are, and names queues, modules and, here and there, other flows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

QUEUES = [f"Queue {number}" for number in range(40)]
MODULES_IN_A_FLOW = 2
STATEMENTS = 24
SETTINGS = """\
  settingsErrorHandling:
    errorHandling:
      disconnect:
        none: true
    preHandlingAudio:
      tts: Sorry, an error occurred. Please try your call again.
"""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    modules: int = 50
    flows: int = 950
    ivrs: int = 200


def write_estate(root: Path, size: Size, *, api_url: str, wording: Callable[[str], str] = lambda text: text) -> None:
    """Writes a repository of specs; ``wording`` may change the greeting of each flow by its name."""
    for folder in ("shared/modules", "flows", "environments"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(size.modules):
        _write(root / f"shared/modules/module-{number:04}.yaml", _module(number, wording))
    makers = (_inbound_call, _inbound_call, _inqueue_call, _workflow)
    for number in range(size.flows):
        _write(root / f"flows/flow-{number:05}.yaml", makers[number % len(makers)](number, size, wording))
    for number in range(size.ivrs):
        _write(root / f"flows/ivr-{number:05}.yaml", _ivr(number))
    _write(root / "environments/bench.yaml", _environment(api_url))


def seed() -> str:
    """What the org must hold before: queues, and numbers for the IVRs."""
    queues = "".join(f"  - {queue}\n" for queue in QUEUES)
    return f"""\
organization: {{id: 6b9d3c5e-8f0b-4a56-9a39-2f1c8f4f7b10, name: Bench}}
queues:
{queues}didPools:
  - {{start: "+4570000000", end: "+4570099999"}}
"""


def _environment(api_url: str) -> str:
    return f"""\
org:
  api_url: {api_url}
  login_url: {api_url}
  requests_per_minute: 1000000
concurrency: 8
"""


def _module(number: int, wording: Callable[[str], str]) -> str:
    name = f"Module {number:04}"
    return f"""\
commonModule:
  name: {name}
  description: Asks for a number and says what it understood.
  supportedLanguages:
    en-us:
      none: true
  variables:
    - stringVariable:
        name: Common.Number
        initialValue:
          noValue: true
        isInput: true
        isOutput: false
    - booleanVariable:
        name: Common.Understood
        initialValue:
          lit: false
        isInput: false
        isOutput: true
  settingsCommonModule:
    compatibleFlowTypes:
      - flowType: inboundcall
      - flowType: inqueuecall
      - flowType: workflow
  startUpTaskActions:
{_prompts(name, 24, wording, indent=4)}
    - endTask:
        name: End Task
"""


def _inbound_call(number: int, size: Size, wording: Callable[[str], str]) -> str:
    name = f"Inbound {number:05}"
    return f"""\
inboundCall:
  name: {name}
  defaultLanguage: en-us
  startUpRef: "/inboundCall/menus/menu[Main Menu_10]"
  supportedLanguages:
    en-us:
      defaultLanguageSkill:
        noValue: true
  initialGreeting:
    tts: {wording(name)}
{SETTINGS}  menus:
    - menu:
        name: Main Menu
        refId: Main Menu_10
        audio:
          tts: For sales press one, for everything else press two.
        choices:
          - menuJumpToTask:
              name: Sales
              dtmf: digit_1
              targetTaskRef: "/inboundCall/tasks/task[Sales_11]"
          - menuTransferToAcd:
              name: Everything else
              dtmf: digit_2
              targetQueue:
                lit:
                  name: {QUEUES[number % len(QUEUES)]}
  tasks:
    - task:
        name: Sales
        refId: Sales_11
        actions:
{_calls(number, size, indent=10)}
{_prompts(name, 18, wording, indent=10)}
          - transferToAcd:
              name: Transfer to ACD
              targetQueue:
                lit:
                  name: {QUEUES[(number + 1) % len(QUEUES)]}
              failureTransferAudio:
                tts: We could not put you through. Please try again later.
          - disconnect:
              name: Disconnect
"""


def _inqueue_call(number: int, size: Size, wording: Callable[[str], str]) -> str:
    name = f"In-queue {number:05}"
    return f"""\
inqueueCall:
  name: {name}
  defaultLanguage: en-us
  supportedLanguages:
    en-us:
      defaultLanguageSkill:
        noValue: true
  settingsInQueueCall:
    holdMusic:
      lit:
        name: PromptSystem.on_hold_music
{SETTINGS}  startUpTaskActions:
{_calls(number, size, indent=4)}
{_prompts(name, 22, wording, indent=4)}
"""


def _workflow(number: int, size: Size, wording: Callable[[str], str]) -> str:
    name = f"Workflow {number:05}"
    statements = "\n".join(_update(name, step) for step in range(STATEMENTS))
    variables = "\n".join(_variable(step) for step in range(STATEMENTS))
    return f"""\
workflow:
  name: {name}
  description: {wording(name)}
  startUpRef: "/workflow/states/state[Initial State_10]"
  defaultLanguage: en-us
  supportedLanguages:
    en-us:
      none: true
  settingsErrorHandling:
    errorHandling:
      endWorkflow:
        none: true
  states:
    - state:
        name: Initial State
        refId: Initial State_10
        variables:
{variables}
        actions:
{_calls(number, size, indent=10)}
{statements}
          - endWorkflow:
              name: End Workflow
              exitReason:
                noValue: true
"""


def _ivr(number: int) -> str:
    return f"""\
ivr:
  name: Line {number:05}
  dnis: ["+45700{number:05}"]
  openHoursFlow: Inbound {number * 4:05}
"""


def _calls(number: int, size: Size, *, indent: int) -> str:
    pick = random.Random(number)
    modules = pick.sample(range(size.modules), k=min(MODULES_IN_A_FLOW, size.modules))
    return _indented(
        (
            f"""\
- callCommonModule:
    name: Call Module {module:04}
    commonModule:
      Module {module:04}:
        ver_latestPublished:
          inputs:
            Common.Number:
              lit: "{number}"
          outputs:
            Common.Understood:
              noValue: true"""
            for module in modules
        ),
        indent,
    )


def _prompts(name: str, count: int, wording: Callable[[str], str], *, indent: int) -> str:
    return _indented(
        (
            f"""\
- decision:
    name: Decision {step}
    condition:
      exp: Length("{name}") > {step}
    outputs:
      "yes":
        actions:
          - playAudio:
              name: Play Audio {step}
              audio:
                tts: {wording(name) if step == 0 else "Thank you for waiting, this is sentence number"} {step}."""
            for step in range(count)
        ),
        indent,
    )


def _variable(step: int) -> str:
    """One that is set and never read, so that there is something to find."""
    return "\n".join(
        _indented(
            [
                f"""\
- stringVariable:
    name: State.Text{step}
    initialValue:
      noValue: true
    isOutput: {"false" if step == 0 else "true"}"""
            ],
            10,
        ).splitlines()
    )


def _update(name: str, step: int) -> str:
    return "\n".join(
        _indented(
            [
                f"""\
- updateData:
    name: Update Data {step}
    statements:
      - string:
          variable: State.Text{step}
          value:
            exp: Append("{name}", ToString({step}), " is a sentence about nothing in particular")"""
            ],
            10,
        ).splitlines()
    )


def _indented(blocks: Iterator[str] | list[str], indent: int) -> str:
    pad = " " * indent
    return "\n".join(pad + line for block in blocks for line in block.splitlines())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
