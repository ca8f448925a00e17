"""Whether the expectations of policies/behaviour.yaml can be asked of a model: its names, types and widths.

A misspelt input would otherwise change nothing, and an expectation that is never asked always holds.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator

from slipway.domain.behaviour import BehaviourLimit, Changed, Direction, Expectation, GoldenRequest, Scalar, Values
from slipway.domain.model import Feature, Model
from slipway.domain.signature import DataType
from slipway.errors import BadFile
from slipway.maths.named_metrics import DecisionKind

_MAY_MISS = (DataType.FLOAT32, DataType.FLOAT64)
_WHOLE = {DataType.INT32: 31, DataType.INT64: 63}  # bits


def refuse_what_cannot_be_asked(limit: BehaviourLimit, model: Model, *, version: str) -> None:
    """Hold the expectations for `version` against what the model declares.

    Raises:
        BadFile: one names what the model does not have, or gives it a value that its type cannot hold.
    """
    groups = {"invariances": limit.invariances, "directions": limit.directions, "golden": limit.golden}
    for group, expectations in groups.items():
        for one in expectations:
            for field, problem, mend in _misfits(one, model, version):
                where = f"policies/behaviour.yaml: models.{model.name}.limit.{group}, `{one.name}`: {field}"
                raise BadFile(f"{where}: {problem}", mend=mend)


def values_of(given: Values) -> tuple[Scalar | None, ...]:
    return given if isinstance(given, tuple) else (given,)


def _misfits(one: Expectation, model: Model, version: str) -> Iterator[tuple[str, str, str]]:
    """Field, problem and mend of each."""
    if isinstance(one, Changed):
        yield from _of_change(one, model, version)
    if isinstance(one, Direction):
        yield from _of_direction(one, model, version)
    if isinstance(one, GoldenRequest):
        yield from _of_request(one, model, version)


def _of_change(one: Changed, model: Model, version: str) -> Iterator[tuple[str, str, str]]:
    feature = next((each for each in model.inputs if each.name == one.input), None)
    if feature is None:
        yield _unknown("input", one.input, "input", model, version)
        return
    words = feature.dtype is DataType.STRING
    field = "text" if one.text is not None else "replace" if one.replace is not None else ""
    if field and not words:
        yield field, f"`{one.input}` is {feature.dtype}, and holds no words", "say `add`, `multiply` or `set`"
    if (one.add is not None or one.multiply is not None) and (words or feature.dtype is DataType.BOOL):
        field = "add" if one.add is not None else "multiply"
        yield field, f"`{one.input}` is {feature.dtype}, and is no number", "say `text`, `replace` or `set`"
    for field, factor in (("add", one.add), ("multiply", one.multiply)):
        if factor is not None and feature.dtype in _WHOLE and not factor.is_integer():
            yield field, f"`{one.input}` is {feature.dtype}, and {factor:g} is no whole number", "give a whole number"
    if one.set is not None and (problem := _unfit(one.set, feature.dtype)):
        yield "set", problem, f"give a value of {feature.dtype}"


def _of_direction(one: Direction, model: Model, version: str) -> Iterator[tuple[str, str, str]]:
    output = next((each for each in model.outputs if each.name == one.output), None)
    if output is None:
        yield _unknown("output", one.output, "output", model, version)
    elif output.dtype is DataType.STRING or math.prod(output.shape) != 1:
        yield "output", f"`{one.output}` is no single number a row", "name an output of one number a row"


def _of_request(one: GoldenRequest, model: Model, version: str) -> Iterator[tuple[str, str, str]]:
    for field, kind, given, features in (
        ("inputs", "input", one.inputs, model.inputs),
        ("answers", "output", one.answers, model.outputs),
    ):
        there = {feature.name: feature for feature in features}
        for name, value in given.items():
            if name not in there and kind == "output":
                yield _unknown(field, name, kind, model, version)
            elif name not in there:
                yield from _misspelt(name, one, model)
            elif problem := _misfit(value, there[name]):
                yield f"{field}.{name}", problem, f"give {_wanted(there[name])}"
    yield from _of_decision(one, model)


def _misspelt(name: str, one: GoldenRequest, model: Model) -> Iterator[tuple[str, str, str]]:
    """One that the model does not ask for is left aside, as the server does; a slip of the pen leaves another out."""
    missing = [feature.name for feature in model.inputs if feature.name not in one.inputs]
    if near := difflib.get_close_matches(name, missing, n=1):
        yield f"inputs.{name}", f"`{name}` is no input of {model.name}", f"did you mean `{near[0]}`?"


def _of_decision(one: GoldenRequest, model: Model) -> Iterator[tuple[str, str, str]]:
    kind, said = model.decision.kind, one.decision
    classes = model.decision.classes or ()
    if said is None:
        return
    if kind is DecisionKind.YES_OR_NO and not isinstance(said, bool):
        yield "decision", f"`{said}` is neither true nor false", "write true or false"
    elif kind is DecisionKind.ONE_OF_SEVERAL and str(said) not in classes:
        yield "decision", f"`{said}` is none of the classes of model.yaml", f"write one of {', '.join(classes[:20])}"
    elif kind is DecisionKind.NUMBER and (isinstance(said, bool | str)):
        yield "decision", f"`{said}` is no number", "write the number"


def _misfit(given: Values, feature: Feature) -> str:
    values = values_of(given)
    if len(values) != math.prod(feature.shape):
        return f"{len(values)} values are given for {_wanted(feature)}"
    return next((problem for value in values if (problem := _unfit(value, feature.dtype))), "")


def _unfit(value: Scalar | None, dtype: DataType) -> str:
    """Why the type cannot hold the value; empty where it can. YAML reads an unquoted `NO` as false.

    Where a value is missing, a float is NaN, and a server refuses null of any other type.
    """
    if value is None:
        return "" if dtype in _MAY_MISS else f"null is no {dtype}: only {' and '.join(_MAY_MISS)} may be missing"
    kinds = {DataType.STRING: isinstance(value, str), DataType.BOOL: isinstance(value, bool)}
    if dtype in kinds:
        return "" if kinds[dtype] else f"`{value}` is no {'word; write it in quotes' if dtype == 'string' else dtype}"
    if isinstance(value, bool | str):
        return f"`{value}` is no number"
    if dtype in _WHOLE and not (float(value).is_integer() and abs(value) < 2 ** _WHOLE[dtype]):
        return f"`{value}` is no {dtype}"
    return ""


def _wanted(feature: Feature) -> str:
    count = math.prod(feature.shape)
    return f"one value of {feature.dtype}" if count == 1 else f"a list of {count} values of {feature.dtype}"


def _unknown(field: str, name: str, kind: str, model: Model, version: str) -> tuple[str, str, str]:
    known = [feature.name for feature in (model.inputs if kind == "input" else model.outputs)]
    near = difflib.get_close_matches(name, known, n=1)
    better = f"did you mean `{near[0]}`? Else say" if near else "correct the name, or say"
    return (
        field,
        f"`{name}` is no {kind} of {model.name} {version}, which has {', '.join(known)}",
        f"{better} with `since` and `below` for which versions it holds",
    )
