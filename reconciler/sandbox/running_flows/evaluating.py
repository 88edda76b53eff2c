"""What an expression comes to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from operator import ge, gt, le, lt

from reconciler.sandbox.running_flows import functions
from reconciler.sandbox.running_flows.expressions import Binary, Call, Item, Literal, Member, Name, Node, Unary, parse
from reconciler.sandbox.running_flows.problems import CannotRun, FlowFailed
from reconciler.sandbox.running_flows.values import PhoneNumber, Value, bounded, equal, is_number, kind_of

Lookup = Callable[[str], Value]
"""Value of a variable by its name with scope; raises ``CannotRun`` for an unknown one."""

CLOCK = "(now)"
"""Name under which the clock is looked up, like a variable; no expression can write it."""

_parse = lru_cache(maxsize=1024)(parse)


_ORDER: dict[str, Callable[[Value, Value], bool]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def evaluate(text: str, lookup: Lookup) -> Value:
    """The value of an expression; raises ``CannotRun`` and ``FlowFailed``."""
    return _value(_parse(text), lookup)


def _value(node: Node, lookup: Lookup) -> Value:
    match node:
        case Literal(value):
            return value
        case Name(text):
            return lookup(text)
        case Member(owner, name):
            return member(_value(owner, lookup), name)
        case Item(owner, index):
            return _item(_value(owner, lookup), _value(index, lookup))
        case Call(function, arguments):
            return _call(function, arguments, lookup)
        case Unary(operator, operand):
            return _unary(operator, _value(operand, lookup))
        case Binary(operator, left, right):
            return _binary(operator, left, right, lookup)


def member(owner: Value, name: str) -> Value:
    """A part of an object; a part that is not there is not set."""
    if isinstance(owner, PhoneNumber) and name.lower() == "e164":
        return owner.e164
    if isinstance(owner, dict):
        return owner.get(name)
    raise CannotRun(f"'.{name}' of a {kind_of(owner)} is nothing that the sandbox knows")


def _item(owner: Value, index: Value) -> Value:
    if not isinstance(owner, list) or isinstance(index, bool) or not isinstance(index, int):
        raise CannotRun(f"a {kind_of(owner)} has no element [{index}]")
    if not 0 <= index < len(owner):
        raise FlowFailed(f"the collection has {len(owner)} elements; there is no element [{index}]")
    return owner[index]


def _call(name: str, arguments: tuple[Node, ...], lookup: Lookup) -> Value:
    if name.lower() == "if":
        # Only the branch that is taken is worked out.
        if len(arguments) != 3:
            raise CannotRun(f"If with {len(arguments)} arguments is not what the sandbox can run")
        return _value(arguments[1 if truth(_value(arguments[0], lookup), "If") else 2], lookup)
    if name.lower() == "getcurrentdatetimeutc" and not arguments:
        return lookup(CLOCK)
    function = functions.find(name)
    return functions.call(function, [_value(argument, lookup) for argument in arguments])


def truth(value: Value, what: str) -> bool:
    """A condition's value; raises ``CannotRun`` for one that is not set."""
    if value is None:
        raise CannotRun(f"what {what} makes of a condition that is NOT_SET is not known")
    if not isinstance(value, bool):
        raise FlowFailed(f"{what} needs a boolean, not a {kind_of(value)}")
    return value


def _unary(operator: str, value: Value) -> Value:
    if operator == "!":
        return not truth(value, "!")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FlowFailed(f"- needs a number, not a {kind_of(value)}")
    return -bounded(value)


def _binary(operator: str, left_node: Node, right_node: Node, lookup: Lookup) -> Value:
    left = _value(left_node, lookup)
    if operator in ("and", "or"):
        if truth(left, operator) == (operator == "or"):
            return left
        return truth(_value(right_node, lookup), operator)
    right = _value(right_node, lookup)
    if operator in ("==", "!="):
        return equal(left, right) == (operator == "==")
    if left is None or right is None:
        raise CannotRun(f"what {operator} makes of NOT_SET is not known")
    return _arithmetic(operator, left, right)


def _arithmetic(operator: str, left: Value, right: Value) -> Value:
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return bounded(left + right)
    if isinstance(left, datetime) and isinstance(right, datetime) and operator in _ORDER:
        return _ORDER[operator](left, right)
    if isinstance(left, datetime) or isinstance(right, datetime):
        raise CannotRun(f"a {kind_of(left)} {operator} a {kind_of(right)} is not among what the sandbox can run")
    if not (is_number(left) and is_number(right)):
        raise FlowFailed(f"a {kind_of(left)} {operator} a {kind_of(right)} is not possible")
    left, right = bounded(left), bounded(right)
    if operator in _ORDER:
        return _ORDER[operator](left, right)
    match operator:
        case "+":
            return bounded(left + right)
        case "-":
            return bounded(left - right)
        case "*":
            return bounded(left * right)
    if right == 0:
        raise FlowFailed("a number cannot be divided by zero")
    if isinstance(left, int) and isinstance(right, int) and left % right:
        raise CannotRun("whether the platform rounds the quotient of two integers is not known")
    return left // right if isinstance(left, int) and isinstance(right, int) else left / right
