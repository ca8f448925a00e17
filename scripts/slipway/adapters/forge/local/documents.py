"""A pull request or an issue as a Markdown file: fields in YAML front matter, the text, then the comments."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict

from slipway.adapters.forge import PullState
from slipway.adapters.yaml_files import parse_yaml
from slipway.errors import BadFile

_FENCE = "---\n"
_COMMENT = re.compile(r"\n\n<!-- comment \d+ -->\n")
_BREAKS_OF_YAML = re.compile("[\x85\u2028\u2029]")  # read as ends of lines unless they are escaped
# A text that holds such a line itself gets a backslash more on the way in, and one less on the way out.
_LOOKS_LIKE_ONE = re.compile(r"^<!-- (\\*)(comment \d+ -->)$", re.MULTILINE)
_ESCAPED = re.compile(r"^<!-- \\(\\*)(comment \d+ -->)$", re.MULTILINE)


class Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    title: str
    labels: tuple[str, ...] = ()


class PullFields(Fields):
    """`head` is the branch's commit when the file was last written; it counts once the request is not open."""

    state: PullState
    draft: bool
    reviewers: tuple[str, ...] = ()
    branch: str
    base: str
    head: str
    merge_commit: str | None = None


class IssueFields(Fields):
    open: bool
    assignees: tuple[str, ...] = ()


FieldsT = TypeVar("FieldsT", bound=Fields)


@dataclass(frozen=True, slots=True)
class Document(Generic[FieldsT]):
    fields: FieldsT
    body: str
    comments: tuple[str, ...] = ()

    def changed(self, *, body: str | None = None, **fields: Any) -> Document[FieldsT]:
        """The same with what is given; None leaves a field as it is."""
        given = {name: value for name, value in fields.items() if value is not None}
        return replace(self, fields=self.fields.model_copy(update=given), body=self.body if body is None else body)

    def commented(self, comment: str | None) -> Document[FieldsT]:
        """The same with a comment at the end, unless it stands there already."""
        if comment is None or self.comments[-1:] == (comment,):
            return self
        return replace(self, comments=(*self.comments, comment))


def render(document: Document[FieldsT]) -> bytes:
    values = document.fields.model_dump(mode="json")
    front = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=10**9)
    if _BREAKS_OF_YAML.search(front):
        front = yaml.safe_dump(values, sort_keys=False, width=10**9)
    parts = [f"{_FENCE}{front}{_FENCE}\n{_escape(document.body)}\n"]
    parts += [
        f"\n<!-- comment {number} -->\n{_escape(comment)}\n"
        for number, comment in enumerate(document.comments, start=1)
    ]
    return "".join(parts).encode()


def parse(content: bytes, fields: type[FieldsT], *, where: str) -> Document[FieldsT]:
    """Read a file back.

    Raises:
        BadFile: an edit by hand broke its form.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadFile(f"{where} is not UTF-8", mend=f"save {where} with the encoding UTF-8") from error
    front, fence, rest = text.partition(f"\n{_FENCE}\n")
    if not fence or not front.startswith(_FENCE):
        raise BadFile(
            f"{where}, line 1: the fields between two lines `---` are missing", mend="undo the edit of that file"
        )
    body, *comments = _COMMENT.split(rest.removesuffix("\n"))
    return Document(
        fields=parse_yaml(front.encode(), fields, where=where),
        body=_unescape(body),
        comments=tuple(_unescape(comment) for comment in comments),
    )


def _escape(text: str) -> str:
    return _LOOKS_LIKE_ONE.sub(r"<!-- \\\1\2", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"<!-- \1\2", text)
