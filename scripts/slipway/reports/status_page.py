"""The status page: an overview of all places, and one page a model. Each holds all that it shows, and asks nobody."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

from slipway.domain.status_site import HEIGHT, WIDTH, ModelStory, Plot, SiteFacts, State, Summary
from slipway.domain.upkeep import Status
from slipway.reports import rendering
from slipway.reports.numbers import count, plain_value

INDEX = "index.html"
_STYLE = rendering.plain("status.css")
_SCRIPT = rendering.plain("status.js")


def model_file(model: str) -> str:
    """Where the page of a model lies beside the overview; a model's name needs no escaping."""
    return f"models/{model}.html"


def overview_html(status: Status, summary: Summary, facts: SiteFacts) -> str:
    return rendering.html(
        "status_overview",
        status=status,
        summary=summary,
        facts=facts,
        states=list(State),
        style=_safe(_STYLE),
        script=_safe(_SCRIPT),
        policy=f"default-src 'none'; style-src '{_digest(_STYLE)}'; script-src '{_digest(_SCRIPT)}'; {_NOTHING_ELSE}",
    )


def model_html(story: ModelStory, facts: SiteFacts) -> str:
    return rendering.html(
        "status_model",
        story=story,
        facts=facts,
        style=_safe(_STYLE),
        policy=f"default-src 'none'; style-src '{_digest(_STYLE)}'; {_NOTHING_ELSE}",
        spoken=plot_in_words,
        points=_points,
        box=f"0 0 {WIDTH} {HEIGHT}",
    )


def plot_in_words(plot: Plot, *, windows: int) -> str:
    """What who cannot see the line is told of it."""
    limit = "" if plot.limit is None else f"; the policy allows {plain_value(plot.limit)}"
    return (
        f"{count(windows)} windows, to {plot.first} the first and to {plot.last} the last: "
        f"least {plain_value(plot.least)}, most {plain_value(plot.most)}, newest {plain_value(plot.newest)}{limit}"
    )


_NOTHING_ELSE = "base-uri 'none'; form-action 'none'"


def _points(line: tuple[tuple[float, float], ...]) -> str:
    """As an SVG has them; a single window is a dot, which a line of no length with round ends shows."""
    whole = line if len(line) > 1 else (*line, *line)
    return " ".join(f"{x:g},{y:g}" for x, y in whole)


def _digest(text: str) -> str:
    """By which a browser knows the one style and the one script that may be here."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _safe(text: str) -> Markup:
    return Markup(text)  # noqa: S704  # our own style and script, from a file beside this one
