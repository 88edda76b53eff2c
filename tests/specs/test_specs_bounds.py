"""A template that asks for too much ends soon, with a message and without filling the memory."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import pytest
from specs_support import Tree, common_module

from reconciler.specs.budget import MAX_WORK, cost

SECONDS = 5.0
"""CPU for one input, with room for a slow machine."""
MEGABYTES = 300
"""By which one input may raise the peak of the process."""

TOO_MUCH = {
    "a large product": "{{ 'a' * 10**9 }}",
    "a large power": "{{ 10 ** 10 ** 10 }}",
    "a large range": "{{ range(10**9) }}",
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a macro without end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a recursive loop": "{% for q in queues recursive %}{{ loop(queues) }}{% endfor %}",
    "a caller without end": "{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}",
    "center": "{{ company | center(10**9) }}",
    "format": "{{ '%1000000000d' | format(1) }}",
    "format of a computed width": "{{ '%*d' | format(10**9, 1) }}",
    "format by braces": "{{ '{:>1000000000}'.format(1) }}",
    "many widths": "{{ ('%9999d' * 9999) | format(1) }}",
    "many widths in braces": "{{ ('{0:>9999}' * 9999).format(1) }}",
    "many large arguments": "{% set l = 'x' * 999999 %}{{ ('{0}' * 9999).format(l) }}",
    "a format with its own length": "{% set l = 'x' * 999999 %}{{ '%s' * 999 % l }}",
    "indent": "{{ (company ~ '\n') * 9999 | indent(9999) }}",
    "replace": "{{ ('a' * 9999) | replace('a', 'b' * 9999) }}",
    "replace as a method": "{{ ('a' * 9999).replace('', 'b' * 9999) }}",
    "join": "{{ (['x' * 999999] * 99999) | join }}",
    "join with a long separator": "{{ range(9999) | join('x' * 9999) }}",
    "join as a method": "{{ ''.join(['x' * 999999] * 99999) }}",
    "map and join": "{{ range(99999) | map('string') | map('center', 9999) | join }}",
    "a list of long lists": "{{ [range(99999) | list] * 99999 }}",
    "text of a list of long lists": "{{ [range(99999) | list] * 99999 | string }}",
    "a filter over filters": "{{ [range(99999)] * 99999 | map('sum') | list }}",
    "a test over lists": "{% set l = range(99999) | list %}{{ l | select('in', l) | list | length }}",
    "sum of lists": "{{ (range(99999) | map('string') | map('list') | list) | sum(start=[]) | length }}",
    "hoarding": "{% set n = namespace(l=[]) %}{% for i in range(9999) %}{% set n.l = n.l + [i ~ 'x' * 99999] %}"
    "{% endfor %}",
    "growing": "{% set n = namespace(t='xx') %}{% for i in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
    "constants computed while compiling": "{{ 'x' | center(9999) | list | map('center', 9999) | join | length }}",
    "pretty printing": "{{ ([1] * 900000) | pprint }}",
    "many expressions": "{{ company }}" * 60_000,
    "one expression without end": "{{ [" + "1," * 200_000 + "] }}",
    "brackets": "{{ " + "(" * 50_000,
    "not not not": "{{ " + "not " * 50_000 + "1 }}",
    "nested conditions": "{% if company %}" * 5_000,
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_asks_for_too_much_ends_soon_with_a_message(tree: Tree, text: str) -> None:
    tree.write("flows/a.yaml", text)
    before, started = _peak(), time.process_time()

    findings = tree.findings()

    assert time.process_time() - started < SECONDS
    assert _peak() - before < MEGABYTES
    assert findings[0].file == "flows/a.yaml"
    assert findings[0].message
    assert findings[0].remedy


def test_includes_that_include_twice_end_soon(tree: Tree) -> None:
    for level in range(30):
        tree.write(f"shared/_{level}", f"{{% include '_{level + 1}' %}}" * 2)
    tree.write("shared/_30", "")
    tree.write("flows/a.yaml", "{% include '_0' %}")
    started = time.process_time()

    (finding,) = tree.findings()

    assert finding.id == "template-too-large"
    assert time.process_time() - started < SECONDS


def test_a_large_but_honest_file_renders(tree: Tree) -> None:
    macro = "{% macro say(n) %}- playAudio: {name: Say {{ n }}, audio: {tts: {{ company | yaml }}}}{% endmacro %}"
    steps = "{% for n in range(5000) %}\n    {{ say(n) }}{% endfor %}\n"
    text = common_module("Large").replace("    - endTask", f"{steps}    - endTask")
    tree.write("flows/a.yaml", macro + text)

    (desired,) = tree.load().resources.values()

    assert len(desired.content.text) > 300_000


@pytest.mark.parametrize(
    "text",
    [
        "xyz: {{ xyz }} " + "a[" * 100_000,
        "a: {{ ('{' ~ ':' * 20000) | format }}",
        "a: {{ ('%(' * 100000) | replace('x', '') | length }}{{ ('%(' * 100000) | format }}",
        "".join(f"--- word {number}\n" for number in range(20_000)),
        "".join(f"---\nkind{number}: 1\n" for number in range(20_000)),
        "ivr:\n  name: A\n  dnis: [" + "x," * 50_000 + "]\n",
        "a: [" + "[]," * 1_500_000 + "]",
        "a: " + "[" * 100_000,
        "a: &a [x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)},' * 9}]\n" for n in range(9)),
    ],
    ids=["brackets", "colons", "percents", "documents", "kinds", "numbers", "values", "depth", "aliases"],
)
def test_no_text_takes_more_than_moments_to_complain_about(tree: Tree, text: str) -> None:
    tree.write("flows/a.yaml", text)
    started = time.process_time()

    findings = tree.findings()

    assert time.process_time() - started < SECONDS
    assert len(findings) <= 201


def test_what_a_list_holds_many_times_is_counted_as_often() -> None:
    long = ["x" * 10] * 1000

    assert cost([long] * 1000) > 1000 * cost(long)
    assert MAX_WORK < cost([[long] * 1000] * 1000) < 2 * MAX_WORK


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 2**20
