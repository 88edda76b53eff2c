"""What may stand at the cursor: commands, options and their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.cli.completing.table import Table

FILES = "files"


@dataclass(frozen=True)
class Candidate:
    """One word that fits, and a few words about it."""

    value: str
    help: str = ""


@dataclass(frozen=True)
class Answer:
    """All that fits; ``files`` lets the shell offer its files."""

    candidates: tuple[Candidate, ...] = ()
    files: bool = False


Values = Callable[[str, str], Sequence[Candidate] | None]
"""What the help calls a value and the environment in question → what may stand there; None for any file."""


def answer(table: Table, words: Sequence[str], current: str, values: Values) -> Answer:
    """What fits behind ``words`` and begins with ``current``."""
    place = _Place(table)
    for word in words:
        place.pass_by(word)
    if place.awaits is not None:
        return _of(place.awaits, "", current, values, place.environment)
    if current.startswith("--") and "=" in current and not place.only_arguments:
        name, _, begun = current.partition("=")
        option = place.option(name)
        return _of(option, f"{name}=", begun, values, place.environment) if option else Answer()
    if current.startswith("-") and not place.only_arguments:
        return Answer(_beginning(current, place.options()))
    if place.command["commands"]:
        named = [Candidate(name, command["help"]) for name, command in place.command["commands"].items()]
        return Answer(_beginning(current, named))
    argument = place.argument()
    found = _of(argument, "", current, values, place.environment) if argument else Answer()
    if current or found.candidates or found.files:
        return found
    return Answer(tuple(place.options()))


class _Place:
    """How far the words have led."""

    def __init__(self, table: Table) -> None:
        self.command: Table = table
        self.awaits: Table | None = None
        """The option whose value comes next."""
        self.only_arguments = False
        self.environment = "local"
        self._used: set[str] = set()
        self._arguments = 0

    def pass_by(self, word: str) -> None:
        """Takes in one finished word."""
        if self.awaits is not None:
            self._note_value(self.awaits, word)
            self.awaits = None
        elif word == "--" and not self.only_arguments:
            self.only_arguments = True
        elif word.startswith("--") and not self.only_arguments:
            name, equals, value = word.partition("=")
            option = self.option(name)
            if option is None:
                return
            self._used.add(option["names"][0])
            if equals:
                self._note_value(option, value)
            elif option["takes"] is not None:
                self.awaits = option
        elif word in self.command["commands"]:
            self.command = self.command["commands"][word]
            self._used.clear()
        else:
            self._arguments += 1

    def option(self, name: str) -> Table | None:
        """The option of that name."""
        return next((option for option in self.command["options"] if name in option["names"]), None)

    def options(self) -> list[Candidate]:
        """Options that may still be given."""
        return [
            Candidate(name, option["help"])
            for option in self.command["options"]
            if option["many"] or option["names"][0] not in self._used
            for name in option["names"]
        ]

    def argument(self) -> Table | None:
        """The argument that comes next."""
        arguments = self.command["arguments"]
        return arguments[self._arguments] if self._arguments < len(arguments) else None

    def _note_value(self, option: Table, value: str) -> None:
        if "--env" in option["names"]:
            self.environment = value


def _of(option: Table, before: str, begun: str, values: Values, environment: str) -> Answer:
    """Values of an option or argument; ``before`` is what of the word comes before the value."""
    found: Sequence[Candidate] | None = [Candidate(choice) for choice in option["choices"]]
    if not found and option["takes"] is not None:
        found = values(option["takes"], environment)
    if found is None:
        return Answer(files=True)
    return Answer(tuple(Candidate(before + each.value, each.help) for each in _beginning(begun, found)))


def _beginning(current: str, candidates: Sequence[Candidate] | Any) -> tuple[Candidate, ...]:
    return tuple(candidate for candidate in candidates if candidate.value.startswith(current))
