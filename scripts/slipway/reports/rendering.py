"""The two ways to fill a template; in both, what is not marked as safe is escaped.

Markdown: every printed value passes `prose`, but for `Markdown`. HTML: Jinja2's own escaping.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from slipway.domain import commands
from slipway.reports import numbers
from slipway.reports.markdown import Markdown, block, code, issue_number, prose
from slipway.reports.plain import one_line, shortened

_TEMPLATES = FileSystemLoader(Path(__file__).parent / "templates")


def markdown(template: str, **values: object) -> str:
    """Fill `templates/<template>.md.j2`."""
    return _MARKDOWN.get_template(f"{template}.md.j2").render(**values)


def html(template: str, **values: object) -> str:
    """Fill `templates/<template>.html.j2`."""
    return _HTML.get_template(f"{template}.html.j2").render(**values)


def _with_code(text: str) -> Markup:
    """What stands between two backticks as code; all of it escaped."""
    parts = one_line(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without a partner
        parts[-2:] = ["`".join(parts[-2:])]
    marked = (Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(parts))
    return Markup("").join(marked)


def plain(template: str, **values: str) -> str:
    """Fill `templates/<template>.j2` with values that need no escaping: names that were checked before."""
    return _HTML.get_template(f"{template}.j2").render(**values)


def _printed(value: object) -> Markdown:
    return value if isinstance(value, Markdown) else prose(value)


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=_TEMPLATES,
        autoescape=autoescape,  # noqa: S701  # Markdown has an escaping of its own, in `finalize`
        finalize=None if autoescape else _printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "thousands": numbers.count,
        "estimate": numbers.estimate,
        "number": numbers.plain_value,
        "amount": numbers.amount,
        "answer": numbers.answer,
        "size": numbers.size,
        "points": numbers.points,
        "short_digest": numbers.short_digest,
        "one_line": one_line,
        "shortened": lambda text, longest: shortened(text, longest=longest),
    }
    if autoescape:
        environment.filters["with_code"] = _with_code
    else:
        environment.filters |= {"code": code, "block": block}
        environment.globals["issue_number"] = issue_number
    environment.globals |= {"commands": commands, "share": numbers.share, "percent": numbers.percent}
    return environment


_MARKDOWN = _environment(autoescape=False)
_HTML = _environment(autoescape=True)
