"""The reference is complete: commands, options, environment keys, plan document and exit codes, compared with the code.

Each test compares in both directions and names what the docs lack, and what they tell that is not there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from reconciler.cli.main import app
from reconciler.engine.document import Plan
from reconciler.specs.environment import EnvironmentFile

ROOT = Path(__file__).parents[2]
OPTION = re.compile(r"--[a-z][a-z-]*")
CODE = re.compile(r"`([^`]+)`")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def sections(text: str, level: str) -> dict[str, str]:
    """Text below each heading of that level, by heading."""
    parts = re.split(rf"^{level} (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> Iterator[tuple[str, str]]:
    """First cell and whole row of each row of each table."""
    for row in re.findall(r"^\| .*", text, flags=re.MULTILINE):
        yield row.split(" | ", 1)[0], row


def none_left(names: Iterable[str], what: str) -> None:
    """Fails the test and names what there should not be."""
    assert not set(names), f"{what}: {', '.join(sorted(set(names)))}"


# --- commands and options


def commands() -> dict[str, Any]:
    """All commands by the words that a user types."""
    root: Any = typer.main.get_command(app)

    def below(group: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for name in group.list_commands(None):
            found = group.get_command(None, name)
            if hasattr(found, "list_commands"):
                if found.invoke_without_command:
                    yield " ".join((*words, name)), found
                yield from below(found, (*words, name))
            else:
                yield " ".join((*words, name)), found

    return dict(below(root, ()))


def parameters(command: Any) -> tuple[set[str], set[str]]:
    """Its options, and its arguments as the help writes them, or what they may be."""
    options = {name for option in command.params for name in option.opts if name.startswith("--")}
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    written = {word for one in arguments for word in (choices(one) or {str(one.metavar or one.name).strip("[]")})}
    return options - {"--help"}, written


def choices(parameter: Any) -> set[str]:
    """The words that an option takes, where they are given."""
    kind = getattr(parameter.type_descriptor, "annotation", None)
    return {choice.value for choice in kind} if isinstance(kind, type) and issubclass(kind, Enum) else set()


def synopsis(text: str) -> str:
    """The lines of a command's section that show how it is called."""
    return "\n".join(re.findall(r"^    (?:reconciler | {4,}\[).*", text, flags=re.MULTILINE))


COMMANDS = commands()


def test_every_command_has_a_section_and_every_section_a_command():
    told = {heading for heading, text in sections(page("commands.md"), "##").items() if synopsis(text)}

    none_left(set(COMMANDS) - told, "commands without a section in docs/commands.md")
    none_left(told - set(COMMANDS), "sections of docs/commands.md without a command")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_section_of_a_command_tells_its_options_and_no_others(name):
    text = sections(page("commands.md"), "##").get(name, "")
    options, arguments = parameters(COMMANDS[name])

    none_left(options - set(OPTION.findall(text)), f"missing in docs/commands.md, {name}")
    none_left(set(OPTION.findall(synopsis(text))) - options, f"docs/commands.md, {name}: there are no such options")
    none_left((word for word in arguments if word not in synopsis(text)), f"missing in docs/commands.md, {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_section_of_a_command_tells_the_choices_of_its_options(name):
    text = sections(page("commands.md"), "##").get(name, "")
    told = set(re.findall(r"\w+", text))
    for option in COMMANDS[name].params:
        none_left(choices(option) - told, f"missing in docs/commands.md, {name} {option.opts[0]}")


def test_the_options_of_the_tool_itself_are_told():
    options, _ = parameters(typer.main.get_command(app))

    none_left(options - set(OPTION.findall(page("commands.md"))), "missing in docs/commands.md")


def test_no_option_is_told_that_there_is_not():
    known = {name for command in COMMANDS.values() for name in parameters(command)[0]}
    known |= parameters(typer.main.get_command(app))[0] | {"--help"}

    none_left(set(OPTION.findall(page("commands.md"))) - known, "docs/commands.md: there are no such options")


# --- calls in all pages

CALL = re.compile(r"(?:(?<![\w./-])(?<!the )|bin/)reconciler ((?:sandbox |audit (?=[a-z]))?[a-z]+)\b([^|&#;`\n]*)")
TARGET = re.compile(r"(?:^|`|    )make ([a-z][a-z-]*)", re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def code(text: str) -> str:
    """What is typed or printed: fenced and indented blocks, and spans between backticks."""
    fenced = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fenced, *re.findall(r"^    .*", rest, flags=re.MULTILINE), *CODE.findall(rest)])


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_page_calls_no_command_option_or_target_that_there_is_not(file):
    text = code(file.read_text(encoding="utf-8"))
    makefiles = [ROOT / "Makefile", *(ROOT / "reconciler/scaffold").rglob("*akefile*")]
    made = "\n".join(makefile.read_text(encoding="utf-8") for makefile in makefiles)
    targets = set(re.findall(r"^([a-z-]+):", made, flags=re.MULTILINE))

    for name, rest in CALL.findall(text):
        assert name in COMMANDS, f"there is no command: reconciler {name}"
        unknown = set(OPTION.findall(rest)) - parameters(COMMANDS[name])[0] - {"--help"}
        none_left(unknown, f"reconciler {name} has no such options")
    none_left(set(TARGET.findall(text)) - targets, "make has no such targets")


# --- keys of environment files


def keys(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every key that takes a value; what takes ``{env: NAME}`` is one value."""
    options = [node, node.get("items", {}), *node.get("anyOf", [])]
    for reference in (option["$ref"] for option in options if "$ref" in option):
        inner = schema["$defs"][reference.rpartition("/")[2]]
        if set(inner.get("properties", {})) != {"env"}:
            yield from keys(schema, inner, path)
            return
    if isinstance(node.get("additionalProperties"), dict):
        yield from keys(schema, node["additionalProperties"], f"{path}.NAME")
        return
    if "properties" not in node:
        yield path
        return
    for key, value in node["properties"].items():
        yield from keys(schema, value, f"{path}.{key}" if path else key)


def is_told(key: str, text: str) -> bool:
    """In a table, in the section of the top key without that; or in the row of the key that it belongs to."""
    top, _, below = key.partition(".")
    section = sections(text, "###").get(f"`{top}`", "")
    for tables, name in ((text, key), (section, below)):
        parent, _, last = name.rpartition(".")
        for cell, row in first_cells(tables):
            named = {code.replace("[]", "") for code in CODE.findall(cell)}
            if name in named or (parent in named and last in CODE.findall(row)):
                return True
    return False


def test_every_key_of_environment_files_is_told_and_no_other():
    schema = EnvironmentFile.model_json_schema()
    # A mapping of names to values is one key, however deep.
    known = {re.sub(r"(\.NAME)+$", "", key) for key in keys(schema, schema)}
    text = page("environments.md")
    overview = sections(text, "##")["Keys"].partition("\n### ")[0]
    dotted = {key for cell, _ in first_cells(overview) for key in CODE.findall(cell) if "." in key}

    none_left((key for key in known if not is_told(key, text)), "missing in docs/environments.md")
    inner = {key.rpartition(".")[0] for key in known}
    none_left(dotted - known - inner, "docs/environments.md, Keys: there are no such keys")


# --- the plan document


def test_every_key_of_the_plan_document_is_told_and_no_other():
    block = re.search(r"```text\n(format_version.*?)```", page("plan.md"), flags=re.DOTALL)
    assert block is not None
    entries = {}
    for heads, text in re.findall(r"^(\w+(?:, \w+)*)(.*(?:\n .*)*)", block[1], flags=re.MULTILINE):
        entries |= dict.fromkeys(heads.split(", "), text)
    none_left(set(Plan.model_fields) - set(entries), "missing in docs/plan.md, The document")
    none_left(set(entries) - set(Plan.model_fields), "docs/plan.md, The document: there are no such keys")

    told: set[type[BaseModel]] = set()
    for name, text in entries.items():
        inside = set(re.findall(r"\b[a-z_]+\b", text[text.find("{") : text.rfind("}") + 1]))
        within = set(models_in(Plan.model_fields[name].annotation))
        needed = {field for model in within - told for field in model.model_fields}
        known = {field for model in within for field in model.model_fields}
        none_left(needed - inside, f"missing in docs/plan.md, The document, {name}")
        none_left(inside - known, f"docs/plan.md, The document, {name}: there are no such keys")
        told |= within


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a field's type, and those that stand in them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for inner in get_args(annotation):
        yield from models_in(inner)


# --- exit codes


def test_every_exit_code_is_told_and_no_other():
    told = {int(cell.strip("| ")) for cell, _ in first_cells(sections(page("plan.md"), "##")["Exit codes"])
            if cell.strip("| ").isdecimal()}  # fmt: skip
    used = {code for file in (ROOT / "reconciler").rglob("*.py") for code in exit_codes(file)}

    assert told == used


def exit_codes(file: Path) -> Iterator[int]:
    """Numbers that a command or a property of exit codes returns, and those that errors carry."""
    command_line = file.parent.name == "cli"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and (
            node.name in ("exit_code", "changes_code") or (command_line and _gives_int(node))
        ):
            returns = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
            yield from (number for value in returns for number in _numbers(value))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "exit_code":
            yield from _numbers(node.value)


def _gives_int(function: ast.FunctionDef) -> bool:
    return isinstance(function.returns, ast.Name) and function.returns.id == "int"


def _numbers(value: ast.expr | None) -> Iterator[int]:
    if isinstance(value, ast.IfExp):
        yield from _numbers(value.body)
        yield from _numbers(value.orelse)
    elif isinstance(value, ast.Constant) and type(value.value) is int:
        yield value.value
