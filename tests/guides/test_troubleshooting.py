"""docs/troubleshooting.md: what it quotes is still said, and nothing that is said often is missing."""

from __future__ import annotations

import ast
import functools
import inspect

import pytest
from slipway import errors
from slipway.domain.verdict import EXIT_CODES

from tests.template.bench import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
# Said by others: by make, by cookiecutter, and by templates of texts.
_ELSEWHERE = ("Makefile", "hooks/post_gen_project.py")
_OF_OTHERS = {
    'Error: "…" directory already exists': "cookiecutter",
    "The virtual environment was not created successfully": "venv",
}
_COMMONEST = 25


def sections() -> dict[str, list[str]]:
    """The first cell of each row of a table, by the heading above it."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith(("| it says |", "| code |")):
            found.setdefault(heading, []).append(line.split(" | ")[0].removeprefix("| "))
    return found


QUOTED = [message for heading, messages in sections().items() if heading != "Exit codes" for message in messages]


def shape(text: ast.expr) -> str:
    """A text of the code, with `…` for what is put in; empty where it is no text."""
    match text:
        case ast.Constant(value=str() as said):
            return said
        case ast.JoinedStr(values=parts):
            return "".join(shape(part) if isinstance(part, ast.Constant) else "…" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return shape(left) + shape(right)
        case _:
            return ""


@functools.cache
def _trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "scripts").rglob("*.py")))


@functools.cache
def said() -> str:
    """All texts that the code may print, one a line."""
    texts = [shape(node) for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.expr)]
    templates = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "scripts").rglob("*.j2"))]
    others = [(ROOT / name).read_text(encoding="utf-8") for name in _ELSEWHERE]
    return "\n".join([*filter(None, texts), *templates, *others])


@functools.cache
def _problems() -> dict[str, list[str]]:
    """Of each name that is called in the code, the texts that it is called with first.

    A function that returns a kind of error is called with its texts, too.
    """
    found: dict[str, list[str]] = {}
    makers: dict[str, str] = {}
    for node in (node for tree in _trees() for node in ast.walk(tree)):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]):
                found.setdefault(name, []).append(shape(first))
            case ast.FunctionDef(name=name, returns=ast.Name(id=kind)):
                makers[name] = kind
    for name, kind in makers.items():
        found.setdefault(kind, []).extend(found.get(name, []))
    return found


def _classes() -> list[str]:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SlipwayError)]
    return [kind.__name__ for kind in kinds if kind is not errors.SlipwayError]


@pytest.mark.parametrize("message", QUOTED)
def test_what_is_quoted_is_still_said(message: str) -> None:
    """Who searches the page for the words of a terminal must find those that are printed today."""
    assert message in said() or message in _OF_OTHERS


@pytest.mark.parametrize("kind", _classes())
def test_each_kind_of_error_has_a_message_on_the_page(kind: str) -> None:
    """A class that is missing is a whole kind of trouble that nobody wrote about."""
    problems = _problems()[kind]

    assert [message for message in QUOTED if any(message in problem for problem in problems)] != []


def test_the_page_has_the_commonest_ones_and_each_only_once() -> None:
    """Two answers to one message part, sooner or later."""
    assert len(QUOTED) == len(set(QUOTED))
    assert len(QUOTED) >= _COMMONEST


def test_each_exit_code_is_told() -> None:
    """Scripts of teams decide by them."""
    told = {int(code) for code in sections()["Exit codes"]}
    of_errors = {getattr(errors, kind).exit_code for kind in _classes()}

    assert told == of_errors | set(EXIT_CODES.values()) | {1, 130}  # a defect; stopped by a person
