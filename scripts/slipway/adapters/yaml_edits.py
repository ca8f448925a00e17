"""Edit YAML that people own: replace the values that must change, add and remove the lines that must come and go.

Every other byte, comments and alignment included, stays. Who calls parses what comes out and compares it with what it
asked for: a form that is too clever for an edit of single lines is refused, and never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from slipway.errors import BadFile

_PLAIN = re.compile(r"(?:\.\./)*[A-Za-z](?:[\w./@-]|:(?=\w))*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


def with_value(content: bytes, key: str, value: str, *, where: str) -> bytes:
    """The file with another value of a key at its top, which is added at the end where it is not there.

    Raises:
        BadFile: no edit of a single line can change it.
    """
    text = content.decode()
    root = _compose(text, where=where)
    if _value(root, key) is None:
        return _edited(text, [_appended(text, f"{key}: {_scalar(value)}\n")])
    return _edited(text, _changes(text, root, {key: value}, where=where))


def with_entry(
    content: bytes, key: str, wanted: Mapping[str, str], *, same: tuple[str, ...], where: str, behind: str | None = None
) -> bytes:
    """The file whose list `key` has the entry `wanted`: the one that agrees in the fields `same` is changed to it.

    Where there is none it is added: behind the entry whose `name` is `behind`, else before the first.

    Raises:
        BadFile: as `with_value`.
    """
    text = content.decode()
    root = _compose(text, where=where)
    found = _value(root, key)
    if found is None:
        edits = [_appended(text, f"{key}:{_block(wanted, indent=2)}\n")]
    elif not isinstance(found, SequenceNode) or not found.value:
        edits = [_begun(text, *_span(text, root, key), wanted, where=where)]
    elif entry := next((item for item in found.value if same and _agrees(item, wanted, same)), None):
        edits = _changes(text, entry, wanted, where=where)
    else:
        edits = [_added(text, found, wanted, behind=behind)]
    return _edited(text, edits)


def without_entry(content: bytes, key: str, wanted: Mapping[str, str], *, where: str) -> bytes:
    """The file whose list `key` has no entry more that agrees with `wanted`; comments inside the entry go with it.

    Raises:
        BadFile: it is no YAML, or not in a form whose lines can be taken out.
    """
    text = content.decode()
    found = _value(_compose(text, where=where), key)
    if not isinstance(found, SequenceNode):
        return content
    gone = [item for item in found.value if _agrees(item, wanted, tuple(wanted))]
    return _edited(text, [_removed(text, found, item) for item in gone])


def with_item(content: bytes, key: str, item: str, *, behind: str, where: str) -> bytes:
    """The file whose list `key` of plain texts has `item`: at its end, or as a new list behind the key `behind`.

    Raises:
        BadFile: as `with_value`.
    """
    text = content.decode()
    root = _compose(text, where=where)
    found = _value(root, key)
    if isinstance(found, SequenceNode) and found.value:
        if any(one.value == item for one in found.value):
            return content
        block = f"\n{' ' * found.start_mark.column}- {_scalar(item)}"
        edit = _more_items(text, found, found.value[-1], block=block, flow=_scalar(item))
    elif found is not None:
        start, end = _span(text, root, key)
        edit = _Edit(start, end, f"{' ' * (start == end)}[{_scalar(item)}]")
    else:
        edit = _new_list(text, root, f"{key}: [{_scalar(item)}]", behind=behind)
    return _edited(text, [edit])


def without_item(content: bytes, key: str, item: str, *, where: str) -> bytes:
    """The file whose list `key` has no `item` more; a list that had nothing else goes with its key.

    Raises:
        BadFile: as `without_entry`.
    """
    text = content.decode()
    root = _compose(text, where=where)
    found = _value(root, key)
    if not isinstance(found, SequenceNode):
        return content
    gone = [one for one in found.value if one.value == item]
    if gone and len(gone) == len(found.value):
        return _edited(text, [_without_key(text, root, key)])
    return _edited(text, [_removed(text, found, one) for one in gone])


def too_clever(where: str) -> BadFile:
    return BadFile(
        f"{where} is written in a form that Slipway cannot edit without touching other lines",
        mend="write one key a line, and lists in the form that docs/models.md shows",
    )


def _edited(text: str, edits: Iterable[_Edit]) -> bytes:
    newline = "\r\n" if "\r\n" in text else "\n"
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text.replace("\n", newline) + text[edit.end :]
    return text.encode()


def _compose(text: str, *, where: str) -> MappingNode:
    try:
        root = YAML().compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadFile(f"{where}, line {line}: {error.problem}", mend=f"correct the YAML of {where}") from error
    if not isinstance(root, MappingNode) or root.flow_style or root.start_mark.column:
        raise too_clever(where)
    return root


def _changes(text: str, entry: MappingNode, wanted: Mapping[str, str], *, where: str) -> list[_Edit]:
    """Replace values that differ; put keys that are missing behind the first of the entry."""
    edits = []
    missing = {}
    for key, value in wanted.items():
        node = _value(entry, key)
        if node is None:
            missing[key] = value
        elif not isinstance(node, ScalarNode) or node.style in ("|", ">"):
            raise too_clever(where)
        elif node.value != value:
            start, end = _span(text, entry, key)
            edits.append(_Edit(start, end, " " * (start == end) + _scalar(value, style=node.style)))
    if missing:
        edits.append(_more_keys(text, entry, missing))
    return edits


def _more_keys(text: str, entry: MappingNode, missing: Mapping[str, str]) -> _Edit:
    first_key, first_value = entry.value[0]
    if entry.flow_style:
        at = first_value.end_mark.index
        return _Edit(at, at, "".join(f", {key}: {_scalar(value)}" for key, value in missing.items()))
    at = _end_of_line(text, first_value.end_mark.index)
    indent = " " * first_key.start_mark.column
    return _Edit(at, at, "".join(f"\n{indent}{key}: {_scalar(value)}" for key, value in missing.items()))


def _added(text: str, entries: SequenceNode, wanted: Mapping[str, str], *, behind: str | None) -> _Edit:
    """A new entry before the first one or behind another; that says how far the list is indented."""
    start, indent = entries.start_mark.index, entries.start_mark.column
    other = next((one for one in entries.value if behind and _agrees(one, {"name": behind}, ("name",))), None)
    if other is not None:
        return _more_items(text, entries, other, block=_block(wanted, indent=indent), flow=_flow(wanted))
    if entries.flow_style:
        return _Edit(start + 1, start + 1, f"{_flow(wanted)}, ")
    return _Edit(start, start, f"{_block(wanted, indent=indent).lstrip()}\n{' ' * indent}")


def _more_items(text: str, entries: SequenceNode, other: Node, *, block: str, flow: str) -> _Edit:
    """A new item of a list behind an `other` one, in the form that the list is written in."""
    end = _end(text, other)
    if entries.flow_style:
        return _Edit(end, end, f", {flow}")
    at = _end_of_line(text, end)
    return _Edit(at, at, block)


def _removed(text: str, entries: SequenceNode, item: Node) -> _Edit:
    """What `_more_items` added, taken out again: in a list of lines the lines, else the item and its comma."""
    if not entries.flow_style:
        return _without_lines(text, item.start_mark.index, _end(text, item))
    at = entries.value.index(item)
    if at:
        return _Edit(_end(text, entries.value[at - 1]), _end(text, item), "")
    following = entries.value[1].start_mark.index if len(entries.value) > 1 else _end(text, item)
    return _Edit(item.start_mark.index, following, "")


def _new_list(text: str, root: MappingNode, line: str, *, behind: str) -> _Edit:
    pair = next((pair for pair in root.value if pair[0].value == behind), None)
    if pair is None:
        return _appended(text, f"{line}\n")
    at = _end_of_line(text, _end_of_pair(text, root, behind))
    return _Edit(at, at, f"\n{line}")


def _without_key(text: str, root: MappingNode, key: str) -> _Edit:
    name = next(name for name, _ in root.value if name.value == key)
    return _without_lines(text, name.start_mark.index, _end_of_pair(text, root, key))


def _without_lines(text: str, first: int, last: int) -> _Edit:
    """Without the lines of two characters and all between; the break before them goes, or, on top, the one behind."""
    start, end = text.rfind("\n", 0, first), _end_of_line(text, last)
    if start >= 0:
        return _Edit(start - (text[start - 1 : start] == "\r"), end, "")
    behind = text.find("\n", end)
    return _Edit(0, len(text) if behind < 0 else behind + 1, "")


def _begun(text: str, start: int, end: int, wanted: Mapping[str, str], *, where: str) -> _Edit:
    """The first entry, in place of `[]` or of no value at all; a comment behind it stays."""
    if "#" in text[start:end]:
        raise too_clever(where)
    line_end = _end_of_line(text, end)
    return _Edit(len(text[:start].rstrip(" ")), line_end, text[end:line_end] + _block(wanted, indent=2))


def _appended(text: str, lines: str) -> _Edit:
    gap = "" if text.endswith("\n") else "\n"
    return _Edit(len(text), len(text), f"{gap}{lines}")


def _block(wanted: Mapping[str, str], *, indent: int) -> str:
    lines = [f"{key}: {_scalar(value)}" for key, value in wanted.items()]
    return f"\n{' ' * indent}- " + f"\n{' ' * indent}  ".join(lines)


def _flow(wanted: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in wanted.items()) + "}"


def _scalar(value: str, *, style: str | None = None) -> str:
    """Plain where every reader takes it for this text, else in quotes; quotes that stood there stay."""
    if style != '"' and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return f"'{value}'" if style == "'" else value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9)
    return quoted.removesuffix("\n")


def _value(mapping: Node, key: str) -> Node | None:
    if not isinstance(mapping, MappingNode):
        return None
    return next((value for name, value in mapping.value if name.value == key), None)


def _span(text: str, mapping: MappingNode, key: str) -> tuple[int, int]:
    """Where a value begins and ends; one that is not there is right behind its colon, wherever the parser says."""
    name, value = next(pair for pair in mapping.value if pair[0].value == key)
    if value.start_mark.index < value.end_mark.index:
        return value.start_mark.index, value.end_mark.index
    colon = text.index(":", name.end_mark.index) + 1
    return colon, colon


def _end(text: str, node: Node) -> int:
    """Where the last word of a value ends: of a list or mapping in lines, the parser tells where the next begins."""
    if isinstance(node, MappingNode) and not node.flow_style:
        return _end_of_pair(text, node, node.value[-1][0].value)
    if isinstance(node, SequenceNode) and not node.flow_style:
        return _end(text, node.value[-1])
    return len(text[: node.end_mark.index].rstrip())


def _end_of_pair(text: str, mapping: MappingNode, key: str) -> int:
    value = _value(mapping, key)
    start, end = _span(text, mapping, key)
    return end if start == end or value is None else _end(text, value)


def _agrees(item: Node, wanted: Mapping[str, str], same: tuple[str, ...]) -> bool:
    values = [(_value(item, key), wanted[key]) for key in same]
    return all(isinstance(node, ScalarNode) and node.value == value for node, value in values)


def _end_of_line(text: str, index: int) -> int:
    """Where the line of a character ends, before its line break."""
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end
