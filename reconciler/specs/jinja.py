"""Jinja2 as specs use it: sandboxed, bounded, reproducible, and each piece of output knows its source line.

Reproducible means that one commit and one environment always give one text: nothing random, no addresses of
objects in memory. Bounded means that a mistake in a template ends in a message, not in a full memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateRuntimeError
from jinja2.lexer import Token, TokenStream
from jinja2.loaders import BaseLoader
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.problems import SpecError
from reconciler.specs.bounds import bounded, bounded_filters, bounded_tests, check_method, check_operator, plain
from reconciler.specs.budget import INCLUDE, MAX_TOKENS, STEP, Budget, TooMuch
from reconciler.specs.linemap import Piece
from reconciler.specs.secret_text import SecretText, carrying, refuse_secrets, secrets_within
from reconciler.specs.source import checked_path
from reconciler.specs.substitutions import Substitutions
from reconciler.specs.undefined import Report, make_undefined

INCLUDES = "shared"
"""The directory that includes and imports come from."""
_GLOBALS = ("range", "dict", "cycler", "joiner", "namespace")


class PieceGenerator(CodeGenerator):
    """Compiles output so that every piece carries the template and the line it was written in.

    Jinja2 itself joins neighbouring pieces and knows only the line of the expression before them.
    """

    _mark: tuple[str, int] | None = None
    """How the piece in hand is to be marked, and its line; None inside macros and other buffers."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """One statement a piece; in buffers, whose text comes out later as a whole, as Jinja2 does it."""
        if frame.buffer is not None:
            super().visit_Output(node, frame)
            return
        for child in node.nodes:
            kind = "literal" if isinstance(child, nodes.TemplateData) else "piece"
            self._mark = (kind, child.lineno)
            super().visit_Output(nodes.Output([child], lineno=child.lineno), frame)
            self._mark = None

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """``~`` with a bound on what comes out, which knows of the secrets in it."""
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        text = super()._output_const_repr(group)
        if self._mark is None:
            return text
        kind, line = self._mark
        return f"environment.{kind}({text}, {self.name!r}, {line})"

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write("environment.bounded(" if self._mark is None else "environment.piece(")
        super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        super()._output_child_post(node, frame, finalize)
        self.write(")" if self._mark is None else f", {self.name!r}, {self._mark[1]})")


class SpecEnvironment(ImmutableSandboxedEnvironment):
    """One for all files of one environment; renders one file at a time."""

    code_generator_class = PieceGenerator
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(
        self,
        loader: BaseLoader,
        variables: Mapping[str, Any],
        report: Report,
        loading: Callable[[str], None],
        written: Callable[[str], None],
    ) -> None:
        """``report`` is told of undefined uses, ``loading`` of includes and imports, ``written`` of secrets.

        Each is called as it happens, ``written`` with the variable each time that a secret is put out.
        """
        super().__init__(
            loader=loader,
            undefined=make_undefined(report),
            finalize=self._finalize,
            keep_trailing_newline=True,
            # Specs are YAML, not HTML; quoting is the business of the yaml filter.
            autoescape=False,
            cache_size=-1,
            auto_reload=False,
        )
        self._loading = loading
        self._written = written
        self._budget = Budget()
        self._substitutions = Substitutions(variables)
        functions = {name: self.globals[name] for name in _GLOBALS}
        # As globals, variables are there in imported macros as well.
        self.globals = {**functions, **variables, **self._substitutions.aliases}
        self.filters = bounded_filters(self._budget)
        self.tests = bounded_tests(self._budget)

    def start(self) -> None:
        """Begins a file; to be called before it is compiled, as constants are computed then."""
        self._budget.start()

    def tick(self) -> None:
        """Compiled templates call it once a loop round and once a macro call.

        Raises:
            TooMuch: what this file may cost is used up.
        """
        self._budget.spend()

    def bounded(self, value: Any) -> Any:
        """Compiled templates put the value of an expression inside a macro or another buffer through it."""
        self._budget.spend_on(value)
        return bounded(value)

    def joined(self, parts: Sequence[Any]) -> Any:
        """What ``~`` makes: one text of all parts, with the secrets that are in them."""
        self._budget.spend_on(*parts)
        return carrying(bounded("".join(map(str, parts))), parts)

    def piece(self, value: str, template: str, line: int) -> Piece:
        """Compiled templates mark the value of an expression with it."""
        self._budget.spend_on(value)
        return Piece(value, template, line, False)

    def literal(self, text: str, template: str, line: int) -> Piece:
        """Compiled templates mark their own text with it."""
        return Piece(text, template, line, True)

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """Makes variables of Archy's substitutions whose names are no identifiers."""
        return self._substitutions.apply(super().preprocess(source, name, filename))

    def join_path(self, template: str, _parent: str) -> str:
        """Includes are named from shared/ or from the repository root, never relative to the includer."""
        return include_path(template) or template

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Keys of mappings come before methods, so that a variable may be called ``items``."""
        if isinstance(obj, SecretText):
            obj.refuse()
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Operators with a bound on what comes out."""
        self._budget.spend_on(left, right)
        check_operator(operator, left, right)
        result = bounded(super().call_binop(context, operator, left, right))
        self._budget.spend_on(result)
        return carrying(result, (left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls with a bound on what comes out of methods of text."""
        # The sandbox wraps format(), which hides whose method it is.
        owner = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)
        args = tuple(list(__self._budget.counted(value)) if isinstance(value, Iterator) else value for value in args)
        values = (*args, *kwargs.values())
        __self._budget.spend_on(*values)
        if isinstance(owner, str):
            __self._budget.spend_on(owner)
            refuse_secrets(values)
            check_method(owner, getattr(__obj, "__name__", ""), values)
        result = bounded(super().call(__context, __obj, *args, **kwargs))
        __self._budget.spend_on(result)
        return result

    def _finalize(self, value: Any) -> Any:
        self._budget.spend_on(value)
        for name in secrets_within(value):
            self._written(name)
        made = plain(value)
        if isinstance(made, str | Undefined):
            return made
        raise TemplateRuntimeError(
            f"A {type(value).__name__} cannot be written out; call it if it is a macro or a method, "
            "or add `| list` if it is the result of a filter."
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
            assert isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock)
            call = nodes.Call(nodes.EnvironmentAttribute("tick"), [], [], None, None)
            statement = nodes.ExprStmt(call)
            statement.set_lineno(node.lineno, override=True)
            node.body.insert(0, statement)
        tree.set_environment(self)
        return tree

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        stream = super()._tokenize(source, name, filename, state)
        return TokenStream(self._few(stream), stream.name, stream.filename)

    def _few(self, tokens: Iterable[Token]) -> Iterator[Token]:
        for number, token in enumerate(tokens):
            if number > MAX_TOKENS:
                raise TooMuch(f"A template may not have more than {MAX_TOKENS:,} words and signs inside {{{{ }}}}.")
            self._budget.spend(STEP)
            yield token

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:
        self._budget.spend(INCLUDE)
        self._loading(name)
        template = super()._load_template(name, globals)
        # Executed anew for each file, so that each file notes all the includes it depends on.
        template._module = None
        return template


def include_path(name: str) -> str | None:
    """The file that an include means, always below shared/; None where the name leads out of it."""
    try:
        path = str(checked_path(name))
    except SpecError:
        return None
    return path if path.startswith(f"{INCLUDES}/") else f"{INCLUDES}/{path}"
