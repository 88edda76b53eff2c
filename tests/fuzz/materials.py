"""Valid input to start from: the example estate, fixtures of the tests, and flows of other people where present."""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath

from reconciler.problems import Finding, SpecError
from reconciler.specs.source import MAX_FILE_BYTES, Source, checked_path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
CANARY = "canary-7d41f0a3-secret"
ENVIRONMENT = """\
extends: dev
org: {region: eu-west-1}
variables:
  company: Nordlys Energi
  flow_name: Flow
  bot_name: Bot
  workflow_name: Workflow
  schedule_name: Schedule
  division: Home
  home_division_name: Home
  default_language: en-us
  description: A flow
  queues: [Sales, Support]
  numbers: {sales: ["+4570101010"]}
  queue.sales: Sales Queue
  my-queue: My "own" queue
  token: {secret: {env: TOKEN}}
"""
INCLUDE = "{% macro m(a, b=1) %}tts: {{ a }}{% endmacro %}\n{% set says = 'Hello' %}playAudio: {name: Say}\n"
_LARGEST = 6_000
"""Bytes of a flow to start from: larger ones say no more and cost time on each input."""


class MemorySource(Source):
    """Files of a repository that are not on disk."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    @property
    def label(self) -> str:
        """See ``Source.label``."""
        return "work tree"

    def list(self, *directories: str) -> list[str]:
        """See ``Source.list``."""
        return sorted(path for path in self.files if path.startswith(tuple(f"{each}/" for each in directories)))

    def exists(self, path: str) -> bool:
        """See ``Source.exists``."""
        try:
            return str(checked_path(path)) in self.files
        except SpecError:
            return False

    def read_bytes(self, path: str) -> bytes:
        """See ``Source.read_bytes``."""
        data = self.files.get(str(checked_path(path)))
        if data is None or len(data) > MAX_FILE_BYTES:
            raise SpecError([Finding(id="missing-file", message="There is no such file.", file=path)])
        return data


@cache
def flows() -> tuple[str, ...]:
    """Rendered-free YAML of flows: tests' fixtures and small flows of other people."""
    found = sorted((ROOT / "tests").rglob("fixtures/*.yaml"))
    found += sorted(CORPUS.rglob("*.yaml")) if CORPUS.is_dir() else []
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in found if path.stat().st_size < _LARGEST]
    return (*_OWN, *(text for text in texts if "{{" not in text))


@cache
def estate() -> dict[str, str]:
    """The example estate's specs and includes by path, without the largest."""
    found = {}
    for folder in ("flows", "shared"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix == ".j2" or path.stat().st_size < _LARGEST:
                found[PurePosixPath(path.relative_to(ROOT)).as_posix()] = path.read_text(encoding="utf-8")
    return found


@cache
def smoke_files() -> tuple[str, ...]:
    """The example estate's smoke tests, and one that says all that can be said."""
    found = sorted((ROOT / "tests/smoke").glob("*.yaml"))
    return (_SMOKE, *(path.read_text(encoding="utf-8") for path in found))


@cache
def environments() -> dict[str, str]:
    """The example estate's environment files by name, and ``fuzz``, which extends ``dev``."""
    found = sorted((ROOT / "environments").glob("*.yaml"))
    return {path.stem: path.read_text(encoding="utf-8") for path in found} | {"fuzz": ENVIRONMENT}


_SMOKE = """\
smokeTest:
  name: All of it
  description: For the fuzzer.
  flow: workflow/Look Up Customer by Phone Number
  inputData: {Flow.phoneNumber: {{ crm_token | yaml }}}
  expect:
    status: COMPLETED
    outputData:
      Flow.contactId: {matches: '^[0-9a-f-]{36}$'}
  timeout: 10
---
smokeTest: {name: Equal, flow: Look Up Customer by Phone Number, expect: {outputData: {Flow.contactId: {equals: x}}}}
"""
_OWN = (
    """\
inboundCall:
  name: "{{ company }} Sales"
  defaultLanguage: en-us
  startUpRef: "/inboundCall/tasks/task[Main_10]"
  initialGreeting:
    tts: Hello from {{ company | yaml }}
  tasks:
    - task:
        name: Main
        refId: Main_10
        actions:
          - setParticipantData:
              name: Set
              attributes:
                - attribute:
                    name: {lit: key}
                    value: {lit: "{{ token }}"}
          - transferToAcd:
              name: Transfer
              targetQueue: {lit: {name: "{{queue.sales}}"}}
              priority: {exp: 'If(FindQueue("Sales") == NOT_SET, 1, ToInt("2"))'}
          - callCommonModule:
              name: Call
              commonModule:
                Greeter:
                  ver_latestPublished: {none: true}
          - disconnect: {name: Bye}
""",
    """\
commonModule:
  name: Greeter
  settingsCommonModule: {compatibleFlowTypes: [{flowType: inboundcall}]}
  startUpTaskActions:
    {% for queue in queues %}
    - playAudio:
        name: Play {{ loop.index }}
        audio: {tts: "{{ queue }}"}
    {% endfor %}
    - endTask: {name: End}
""",
    """\
ivr:
  name: Sales Line
  dnis: {{ numbers.sales | yaml }}
  openHoursFlow: Sales
  closedHoursFlow: Sales Closed
  scheduleGroup: Sales Hours
---
schedule:
  name: Christmas
  start: 2026-12-25T00:00:00.000
  end: 2026-12-26T00:00:00.000
  rrule: FREQ=YEARLY;INTERVAL=1
---
scheduleGroup:
  name: Sales Hours
  timeZone: Europe/Copenhagen
  openSchedules: [Christmas]
""",
)
