"""Markdown as GitHub reads it, where text of users can neither break a table nor call anybody.

Names of features, values of categories and messages of tags come from users. `prose` keeps their `code` marks
and takes the meaning from everything else; all that a template prints goes through it, but for `Markdown`.
"""

from __future__ import annotations

import html
import re

from slipway.reports.plain import lines, one_line

# No width, so that a reader sees `@name`; GitHub sees no mention, reference or link. Sources show it as an escape.
_BREAK = "\u200b"
_MEANS_SOMETHING = re.compile(
    r"""
    (?P<entity>[\\|`*~$<>])            # would be markup: written as a character reference
  | (?P<ampersand>&(?=\#?\w+;))        # would already be a character reference
  | (?P<underscore>(?<![^\W_])_|_(?![^\W_]))  # emphasis, unless between letters as in `p_late`
  | (?P<link>(?<=\])[(\[])             # [text](address)
  | (?P<image>!(?=\[))
  | (?P<call>[@\#])(?=[\w-])           # a mention, a reference to an issue
  | (?P<address>://|(?<=www)\.)        # links by themselves, and "fixes https://…" closes
  | (?P<github>(?<=[gG][hH])-(?=\d))   # GH-12
    """,
    re.VERBOSE,
)
# Inside backticks these would end the mark or the cell of a table.
_NEEDS_AN_ELEMENT = re.compile(r"[|\\]")
_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?")
_COMMAND = re.compile(r"(?:git|slipway) ")
# At the start of a line: a list, a heading, a rule, the second line of a table.
_OPENS_A_BLOCK = re.compile(r"[-+=:#]|(?<=\d)[.)]")


class Markdown(str):
    """Text that is Markdown already, and is printed as it is."""

    __slots__ = ()


def prose(text: object) -> Markdown:
    """One line of text; what stands between two backticks stays code, all other marks lose their meaning."""
    parts = one_line(str(text)).split("`")
    if len(parts) % 2 == 0:  # a backtick without a partner
        parts[-2:] = ["`".join(parts[-2:])]
    return Markdown("".join(code(part) if odd % 2 and part else _escaped(part) for odd, part in enumerate(parts)))


def called(owner: str) -> Markdown:
    """Where somebody is meant to be called; what is no name of a person or a team stays text."""
    return Markdown(owner) if _OWNER.fullmatch(owner) else prose(owner)


def code(text: object) -> Markdown:
    """One line as code, whatever it holds."""
    line = one_line(str(text))
    if not line:
        return Markdown("")
    if "`" in line or _NEEDS_AN_ELEMENT.search(line):
        return Markdown(f"<code>{''.join(_reference(character) for character in line)}</code>")
    return Markdown(f"`{line}`")


def block(text: str) -> Markdown:
    """Lines of prose; commands among them are fenced, so that they can be copied as they are."""
    written: list[str] = []
    commands: list[str] = []
    for line in lines(text):
        if _COMMAND.match(line):
            commands.append(line)
            continue
        written += [*_fenced(commands), _paragraph(line)]
        commands = []
    return Markdown("\n".join([*written, *_fenced(commands)]))


def issue_number(number: int) -> Markdown:
    """`#7`, meant as a reference."""
    return Markdown(f"#{number:d}")


def fenced(text: str, *, language: str = "") -> Markdown:
    """A block of code; its fence is longer than any inside of it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def _paragraph(line: str) -> Markdown:
    """A line that stays text wherever it begins."""
    number = re.match(r"\d*", line)
    start = number.end() if number else 0
    if _OPENS_A_BLOCK.match(line, start):
        return Markdown(f"{line[:start]}&#{ord(line[start])};{prose(line[start + 1 :])}")
    return prose(line)


def _fenced(commands: list[str]) -> list[Markdown]:
    return [fenced("\n".join(commands), language="sh")] if commands else []


def _escaped(text: str) -> str:
    return _MEANS_SOMETHING.sub(_without_meaning, text)


def _without_meaning(match: re.Match[str]) -> str:
    found = match.group()
    if match.lastgroup in ("call", "github"):
        return f"{found}{_BREAK}"
    if match.lastgroup == "address":
        return found.replace(":", f":{_BREAK}").replace(".", f"{_BREAK}.")
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found) or f"&#{ord(found)};"


def _reference(character: str) -> str:
    """Inside of an element Markdown still holds, so all punctuation is written as references."""
    if character.isascii() and not character.isalnum() and character != " ":
        return f"&#{ord(character)};"
    return html.escape(character)
