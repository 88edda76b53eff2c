"""Rendering: what comes out, where each line came from, and every mistake with its place."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from specs_support import Tree, outcome, place

from reconciler.problems import Finding, SpecError
from reconciler.specs import bounds, budget, template
from reconciler.specs.template import Rendered, Renderer, render
from reconciler.specs.variables import with_placeholders

VARIABLES: dict[str, Any] = {
    "company": "Nordlys",
    "queues": ["Sales", "Support"],
    "numbers": {"sales": ["+45"], "items": "own"},
    "flag": True,
    "nothing": None,
    "my-queue": 'My "own"',
    "queue.sales": "Sales Queue",
    "not": "word",
    "token": {"secret": {"env": "TOKEN"}},
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def rendered(tree: Tree, text: str) -> Rendered:
    path = tree.root / "flows/a.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return render(tree.source, "flows/a.yaml", with_placeholders(VARIABLES), "prod")


def wrong(tree: Tree, text: str) -> list[Finding]:
    with pytest.raises(SpecError) as caught:
        rendered(tree, text)
    findings = list(caught.value.findings)
    for finding in findings:
        assert finding.remedy
        assert finding.file
    return findings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {{ company }}\n", "a: Nordlys\n"),
        ("a: {{ company }}", "a: Nordlys"),
        ("a: {{company|upper}}", "a: NORDLYS"),
        ("a: {{ flag }} {{ nothing }} {{ false }} {{ none }} {{ 1.5 }}", "a: true null false null 1.5"),
        ("a: {{ queues }}", 'a: ["Sales", "Support"]'),
        ("a: {{ numbers }}", 'a: {"sales": ["+45"], "items": "own"}'),
        ("a: {{ numbers.items }}", "a: own"),
        ("a: {{ my-queue | yaml }}", 'a: "My \\"own\\""'),
        ("a: {{my-queue}} {{ queue.sales }} {{- queue.sales -}} !", 'a: My "own" Sales QueueSales Queue!'),
        ("a: {{not}}", "a: word"),
        ("{% raw %}{{my-queue}}{% endraw %}{# {{my-queue}} #}", "{{my-queue}}"),
        ('{{ "{{my-queue}}" }}{% set x = "{{my-queue}}" %}', "{{my-queue}}"),
        ("a: {{ missing | default('x') }}", "a: x"),
        ("{% if missing is defined %}x{% endif %}", ""),
        (
            "a: {{ token }} {{ token | yaml }} {{ 'Bearer ' ~ token }}",
            'a: (secret token) "(secret token)" Bearer (secret token)',
        ),
        ("{% set x %}{{ token }}{% endset %}{{ x }}{{ x }}", "(secret token)(secret token)"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m('x' ~ token) }}", "x(secret token)"),
        ("{{ ('Bearer %s' % token) | yaml }}", '"Bearer (secret token)"'),
        ("{{ [token, {'a': token}] }}", '["(secret token)", {"a": "(secret token)"}]'),
        ("{{ [token, 'x'] | join(',') }} {{ token | default('x') }}", "(secret token),x (secret token)"),
        ("a: {{ queues | map('upper') | list | yaml }}", 'a: ["SALES", "SUPPORT"]'),
        ("plain: }} and { { stay", "plain: }} and { { stay"),
        ("ünï: {{ company }} 🙂", "ünï: Nordlys 🙂"),
    ],
)
def test_what_comes_out(tree: Tree, text: str, expected: str) -> None:
    assert rendered(tree, text).text == expected


def test_an_expression_with_dots_is_read_as_one_unless_the_environment_has_that_name(tree: Tree) -> None:
    assert rendered(tree, "{{ numbers.sales }}{{ queue.sales }}").text == '["+45"]Sales Queue'


def test_includes_and_macros_come_from_shared_and_see_all_variables(tree: Tree) -> None:
    tree.write("shared/_m/voice.j2", "{% macro greet(n) %}Hi {{ n }} of {{ company }}{% endmacro %}")
    tree.write("shared/part.yaml", "{% import 'shared/_m/voice.j2' as v %}{{ v.greet(who) }} {{ queue.sales }}")
    result = rendered(tree, "{% set who = 'Bo' %}{% include 'part.yaml' %}{% include 'no' ignore missing %}")
    assert result.text == "Hi Bo of Nordlys Sales Queue"
    assert set(result.includes) == {"shared/part.yaml", "shared/_m/voice.j2", "shared/no"}
    assert result.includes["shared/no"] == ""
    assert len(result.includes["shared/part.yaml"]) == 64


def test_each_file_notes_all_its_includes_although_they_are_compiled_once(tree: Tree) -> None:
    tree.write("shared/_deep.j2", "{% set deep = 'deep' %}")
    tree.write("shared/_m.j2", "{% import '_deep.j2' as d %}{% set word = d.deep %}")
    tree.write("flows/a.yaml", "{% import '_m.j2' as m %}{{ m.word }}")
    renderer = Renderer(tree.source, {}, "prod")
    first, second = renderer.render("flows/a.yaml"), renderer.render("flows/a.yaml")
    assert first.includes == second.includes
    assert set(first.includes) == {"shared/_m.j2", "shared/_deep.j2"}


def test_all_undefined_variables_are_told_with_their_places(tree: Tree) -> None:
    tree.write("shared/_m.j2", "\n{% macro greet() %}{{ inner }}{% endmacro %}")
    findings = wrong(
        tree,
        "{% from '_m.j2' import greet, gone %}\n"
        "a: {{ compny }} {{ numbers.salse }}\n"
        "b: {{ greet() }}\n"
        "{% if other == 1 %}x{% endif %}\n"
        "c: {{ company\n"
        "      ~ later }}\n"
        "{% for x in nowhere %}{{ x.y.z }}{% endfor %}\n"
        "d: {{ first-name }} {{ some.thing.deep }} {{ gone() }}\n",
    )
    assert [(place(each), each.id) for each in findings] == [
        ("flows/a.yaml:2:7", "undefined-variable"),
        ("flows/a.yaml:2:20", "undefined-variable"),
        ("shared/_m.j2:2:23", "undefined-variable"),
        ("flows/a.yaml:4:7", "undefined-variable"),
        ("flows/a.yaml:6:9", "undefined-variable"),
        ("flows/a.yaml:7:13", "undefined-variable"),
        ("flows/a.yaml:8:7", "undefined-variable"),
        ("flows/a.yaml:8:24", "undefined-variable"),
        ("flows/a.yaml:1:31", "undefined-variable"),
    ]
    messages = [each.message for each in findings]
    assert messages[0] == "The variable 'compny' is not defined in the environment prod."
    assert (findings[0].remedy or "").startswith("Did you mean `company`?")
    assert messages[1] == "'numbers.salse' is not defined in the environment prod; there is no key 'salse'."
    assert "It is included by flows/a.yaml:3." in (findings[2].remedy or "")
    assert messages[6] == "The variable 'first-name' is not defined in the environment prod."
    assert messages[7] == "The variable 'some.thing.deep' is not defined in the environment prod."


@pytest.mark.parametrize(
    ("text", "id_", "where"),
    [
        ("a: 1\nb: {{ company }\n", "template-syntax", "flows/a.yaml:2:4"),
        ("a: 1\n{% if %}\n", "template-syntax", "flows/a.yaml:2"),
        ("a: {# no end\n", "template-syntax", "flows/a.yaml:1:4"),
        ("a: {{ 'x' | nofilter }}\n", "template-syntax", "flows/a.yaml:1"),
        ("a:\n{% include 'none.j2' %}\n", "missing-include", "flows/a.yaml:2"),
        ("{% include '../environments/prod.yaml' %}\n", "missing-include", "flows/a.yaml:1"),
        ("{% include '/etc/passwd' %}\n", "missing-include", "flows/a.yaml:1"),
        ("{% include '_broken.j2' %}\n", "template-syntax", "shared/_broken.j2:2"),
        ("{% include '_endless.j2' %}\n", "template-recursion", "shared/_endless.j2:1"),
        ("a: {{ company.__class__ }}\n", "forbidden-in-template", "flows/a.yaml:1:7"),
        ("a: {{ queues.append('x') }}\n", "forbidden-in-template", "flows/a.yaml:1:7"),
        ("a: {{ '{0.__class__}'.format(company) }}\n", "forbidden-in-template", "flows/a.yaml:1:9"),
        ("a: {{ company + 1 }}\n", "template-failure", "flows/a.yaml:1"),
        ("a: {{ 1 // 0 }}\n", "template-failure", "flows/a.yaml:1"),
        ("a: {{ company.upper }}\n", "template-failure", "flows/a.yaml:1"),
        ("\na: {{ token | upper }}\n", "secret-misused", "flows/a.yaml:2"),
        ("a: {{ token[0] }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ token.upper() }}\n", "secret-misused", "flows/a.yaml:1"),
        ("{% if token == 'x' %}{% endif %}\n", "secret-misused", "flows/a.yaml:1"),
        ("{% if token %}{% endif %}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ token * 2 }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ (token ~ '') | upper }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ ('x' + token) | upper }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ ('%s' % token) | upper }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ (token | yaml) | upper }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ ([token] | join) | upper }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ [token] | tojson }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ 'x'.join([token]) }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: 1\n{% filter upper %}{{ token }}{% endfilter %}\n", "secret-misused", "flows/a.yaml:2"),
        ("{% set x %}{{ token }}{% endset %}{{ x | upper }}{{ token.x }}\n", "secret-misused", "flows/a.yaml:1"),
        ("{% macro m() %}{{ token }}{% endmacro %}{{ token }}{{ m() | upper }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ 'x'.replace('x', token) }}\n", "secret-misused", "flows/a.yaml:1"),
        ("a: {{ range(1000000) | list }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ 'x' * 100000000 }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ 10 ** 100000000 }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ 'x'.ljust(100000000) }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ '%99999999d' % 1 }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ 'x' | center(100000000) }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ '{:>99999999}'.format(1) }}\n", "template-too-large", "flows/a.yaml:1"),
        ("a: {{ ('aa' * 9999).replace('a', 'b' * 9999) }}\n", "template-too-large", "flows/a.yaml:1"),
        (
            "{% set n = namespace(x='xxxxxxxx') %}\n{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}\n",
            "template-too-large",
            "flows/a.yaml:2",
        ),
        (
            "{% set n = namespace(x='xxxxxxxx') %}\n"
            "{% for i in range(40) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}\n",
            "template-too-large",
            "flows/a.yaml:2",
        ),
        ("{{ '\\d' }}{{ 'a'() }}\n", "template-failure", "flows/a.yaml:1"),
        (
            "".join(f"{{% for a{n} in queues %}}" for n in range(30)) + "{% endfor %}" * 30,
            "template-syntax",
            "flows/a.yaml",
        ),
    ],
)
def test_each_mistake_is_one_finding_with_its_place(tree: Tree, text: str, id_: str, where: str) -> None:
    tree.write("shared/_broken.j2", "fine\n{{ ! }}\n")
    tree.write("shared/_endless.j2", "{% include '_endless.j2' %}")
    (finding,) = wrong(tree, text)
    assert (finding.id, place(finding)) == (id_, where)


@pytest.mark.parametrize("opener", ["{{ ", "{% ", "{# ", "{% raw %}", "{{ 'x", '{{ "a" "b" '])
def test_what_never_closes_is_given_up_at_once(tree: Tree, opener: str) -> None:
    started = time.thread_time()
    wrong(tree, opener * 20_000)
    wrong(tree, '{{ "' + '\\"' * 20_000)
    assert time.thread_time() - started < 2


MACROS = """\
{# Actions. #}
{% macro say(text, language=none) -%}
- name: {{ text | yaml }}
  {%- if language %}
  language: {{ language | yaml }}
  {%- endif %}
{%- endmacro %}
"""


@pytest.mark.parametrize(
    ("call", "where", "named", "used"),
    [
        ("{{ v.say(nope) | indent(2) }}", "3:12", "The variable 'nope' is not defined", 3),
        ("{{ v.say(numbers.nope) }}", "3:12", "'numbers.nope' is not defined", 3),
        ("{{ v.say(numbers['nope']) }}", "3:12", "'numbers.nope' is not defined", 3),
        ("{{ v.say('Hi',\n       nope) }}", "4:8", "The variable 'nope' is not defined", 4),
        ("{% set x = numbers.nope %}\n{{ v.say(x) }}", "3:14", "'numbers.nope' is not defined", 3),
    ],
)
def test_what_is_undefined_in_a_macro_call_is_one_finding_at_the_call(
    tree: Tree, call: str, where: str, named: str, used: int
) -> None:
    tree.write("shared/_m.j2", MACROS)
    (finding,) = wrong(tree, f"{{% import '_m.j2' as v %}}\na:\n  {call}\n")
    assert (finding.id, place(finding)) == ("undefined-variable", f"flows/a.yaml:{where}")
    assert finding.message.startswith(named)
    assert f"It is used at shared/_m.j2:{used}." in (finding.remedy or "")
    assert "included by" not in (finding.remedy or "")


def test_a_macro_called_without_a_parameter_is_told_at_the_call(tree: Tree) -> None:
    tree.write("shared/_m.j2", MACROS)
    (finding,) = wrong(tree, "{% import '_m.j2' as v %}\na:\n  {{ v.say(language='en') }}\n")
    assert place(finding) == "flows/a.yaml:3"
    assert finding.message == "The macro at shared/_m.j2:2 is called without its parameter 'text'."


def test_a_failure_inside_a_macro_names_the_line_that_calls_it(tree: Tree) -> None:
    tree.write("shared/_m.j2", "{% macro m(a) %}\n{{ a + 1 }}{% endmacro %}")
    (finding,) = wrong(tree, "{% import '_m.j2' as v %}\na:\n  {{ v.m('x') }}\n")
    assert place(finding) == "shared/_m.j2:2"
    assert "It is included by flows/a.yaml:3." in (finding.remedy or "")


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: 1\nb: {{ company\nc: {{ company }}\n", "2:4", "`{{` is not closed."),
        ("a: 1\nb: {{ company\nc: 2\n", "2:4", "`{{` is not closed."),
        ("a: {{ company }}\nb: {{ company\n", "2:4", "`{{` is not closed."),
        ("a: {{ company\n{# x #}\nb: {{ company }}\n", "1:4", "`{{` is not closed."),
        ("a: {{ company }\nb: {{ company }}\n", "1:4", "`{{` is not closed."),
        ("a: {{ queues | join('}}') }} {{ company\nb: 1\n", "1:30", "`{{` is not closed."),
        ("{% if flag }\na: 1\n{% endif %}\n", "1:1", "`{%` is not closed."),
        ("a: 1 {# note\n", "1:6", "`{#` is not closed."),
        ("a: 1\n{% raw %}\nb: 1\n", "2:1", "`{% raw %}` is not closed."),
        ("{# {{ #}{% raw %}{{{% endraw %}\na: {{ company\nb: 1\n", "2:4", "`{{` is not closed."),
    ],
)
def test_what_is_not_closed_is_told_where_it_opens(tree: Tree, text: str, where: str, message: str) -> None:
    (finding,) = wrong(tree, text)
    assert (finding.id, place(finding), finding.message) == ("template-syntax", f"flows/a.yaml:{where}", message)
    assert (finding.remedy or "").startswith("Close it with `")


@pytest.mark.parametrize(
    ("text", "where", "part"),
    [
        ("a: 1\nb: {{ company x }}\nc: {{ company\n", "2", "'x' is not expected here, inside `{{ }}`"),
        ("{% if flag x %}{% endif %}\n", "1", "'x' is not expected here, inside `{% %}`"),
        ("a: {{ {'a': {'b': 1}} }}\nb: {{ ! }}\n", "2", "unexpected char '!'"),
        ("a: {{ {'a': {'b': 1}} }}\nb: {{ 1 | nofilter }}\nc: {{ 'a\n{{ ' }}", "2", "nofilter"),
    ],
)
def test_other_mistakes_are_not_taken_for_something_not_closed(tree: Tree, text: str, where: str, part: str) -> None:
    (finding,) = wrong(tree, text)
    assert place(finding) == f"flows/a.yaml:{where}"
    assert part in finding.message


def test_stray_braces_are_explained(tree: Tree) -> None:
    (finding,) = wrong(tree, 'a: 1\nexp: "{{#if x}}"\n')
    assert "{% raw %}" in (finding.remedy or "")


def test_time_and_output_have_a_limit(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_SECONDS", 0.05)
    loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    assert wrong(tree, loops)[0].id == "template-too-large"
    monkeypatch.setattr(template, "MAX_OUTPUT", 1000)
    assert wrong(tree, "{% for a in range(999) %}\nlong enough{% endfor %}")[0].id == "template-too-large"
    monkeypatch.setattr(bounds, "MAX_VALUE", 10)
    assert wrong(tree, "{{ queues | join('-----') }}")[0].id == "template-too-large"


def test_a_template_cannot_change_the_variables_of_the_next_file(tree: Tree) -> None:
    tree.write("flows/a.yaml", "{% set company = 'Other' %}{{ company }}")
    tree.write("flows/b.yaml", "{{ company }}")
    renderer = Renderer(tree.source, with_placeholders(VARIABLES), "prod")
    assert [renderer.render(f"flows/{name}.yaml").text for name in "ab"] == ["Other", "Nordlys"]


def test_lines_after_loops_includes_comments_blocks_and_long_expressions(tree: Tree) -> None:
    tree.write("shared/_i.j2", "I1\nI2\n")
    result = rendered(
        tree,
        "L1\n"
        "{% for q in queues %}\n"
        "L3 {{ q }}\n"
        "{%- endfor %}\n"
        "L5\n"
        "{# a\n"
        "comment #}L7\n"
        "{% include '_i.j2' %}\n"
        "L9 {{ company\n"
        "   | upper }} tail\n"
        "L11\n"
        "{%- set x %}\n"
        "block\n"
        "{% endset -%}\n"
        "\n"
        "\n"
        "L17 {{ x }}\n"
        "{% filter upper %}\n"
        "l19\n"
        "{% endfilter %}\n"
        "L21\n",
    )
    for number, line in enumerate(result.text.split("\n"), 1):
        marker = re.match(r"L(\d+)", line)
        if marker and marker[1] != "19":
            assert result.line_of(number) == int(marker[1]), line
    lines = result.text.split("\n")
    assert result.line_of(lines.index("I2") + 1) == 8
    inside = result.location(lines.index("I2") + 1, 1)
    assert (inside.file, inside.line, inside.column) == ("shared/_i.j2", 2, 1)
    # The text of a {% filter %} block is put out by the statement.
    assert result.line_of(lines.index("L19") + 1) == 18


def test_the_column_is_given_only_where_it_is_exact(tree: Tree) -> None:
    result = rendered(tree, "a: {{ company }}\n  key: {{ company }} x\n")
    assert result.location(2, 3).column == 3
    assert result.location(2, 20).column is None
    assert result.location(2, 20).line == 2
    plain = rendered(tree, "a: 1\nb: 2\n")
    assert str(plain.location(2, 4)) == "flows/a.yaml:2:4"


BLOCKS = st.sampled_from(
    [
        "L# text",
        "L# {{ company }} more",
        "L# {{ company\n   ~ 'x' }} more",
        "{% for q in queues %}L# {{ q }}\nL# x\n{% endfor %}L# y",
        "{%- for q in queues -%}\n\nL# {{ q }}\n\n{%- endfor -%}\n\nL# y",
        "{# one\ntwo #}L# after",
        "{#- one\ntwo -#}\n\nL# after",
        "{% if flag %}\nL# yes\n{% else %}\nL# no\n{% endif %}",
        "{% set x %}\nblock {{ company }}\n{% endset %}L# {{ x }}\nL# after",
        "{% raw %}{{ raw\n}}{% endraw %} L# x\nL# y",
        "{% include '_i.j2' %}L# y",
        "{{ 'const' }}\nL# z",
        "{{ queues\n | join('\n') }}\nL# z",
        "{% macro m(a) %}\nmacro {{ a }}\n{% endmacro %}\nL# {{ m('x') }}\nL# z",
        "{% with a = 1 %}L# {{ a }}\nL#{% endwith %}",
        "{% call(x) n() %}\n{{ x }}\n{% endcall %}L# z",
        "{{ my-queue }}\nL# {{queue.sales}}\n\r\nL# z",
        "",
    ]
)
START = "{% macro n() %}\n{{ caller(1) }}\n{% endmacro %}\n"


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCKS, min_size=1, max_size=8))
def test_every_marked_line_is_traced_to_where_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[str]
) -> None:
    tree = Tree(tmp_path_factory.mktemp("tree"))
    tree.write("shared/_i.j2", "included\n{{ company }}\n")
    source = (START + "\n".join(blocks)).replace("\r\n", "\n").split("\n")
    marked = "\n".join(re.sub(r"L#", f"<L{number}>", line) for number, line in enumerate(source, 1))
    result = rendered(tree, marked)
    seen = 0
    for number, line in enumerate(result.text.split("\n"), 1):
        # Where whitespace control joins lines, a rendered line begins with what was written first.
        marker = re.match(r"\s*<L(\d+)>", line)
        if marker:
            seen += 1
            assert result.line_of(number) == int(marker[1])
            column = line.index("<") + 1
            assert result.location(number, column).line == int(marker[1])
    assert seen or not any("L#" in block for block in blocks)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["{{", "}}", "{%", "%}", "{#", "#}", "|yaml", "company", "token", "my-queue", "queues", "'", '"']
            ),
            st.sampled_from(
                [" for q in ", " endfor ", " if ", " endif ", ".", "-", "(", ")", "[", "]", "~", "*", "\n", "\\", "raw"]
            ),
            st.text(max_size=5),
        ),
        max_size=14,
    )
)
@example(parts=["{#", "#}", "\r"])
def test_any_text_renders_or_is_a_finding(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    renderer = Renderer(Tree(tmp_path_factory.getbasetemp() / "any").source, with_placeholders(VARIABLES), "prod")
    text = "".join(parts)
    result = outcome(lambda: renderer.render("flows/a.yaml", text))
    if isinstance(result, SpecError):
        assert all(finding.file and finding.remedy for finding in result.findings)
        return
    # A lone carriage return ends a line as well.
    lines = text.count("\n") + text.count("\r") + 1
    for number in range(result.text.count("\n") + 2):
        assert 1 <= result.line_of(number) <= lines
