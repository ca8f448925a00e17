"""Plots as SVG text, to stand inside of an HTML page: no script, no font file, no address.

Letters and axes take the colour of the text around them, so that they are readable in light and in dark; the
colours of series have a contrast of 3 : 1 against both, and shapes tell series apart without colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from itertools import groupby
from typing import Any
from zlib import crc32

import altair as alt
import vl_convert

from slipway.domain.evidence import ComparisonEvidence
from slipway.domain.incident import Window
from slipway.maths.named_metrics import Metric
from slipway.reports.plain import one_line, shortened
from slipway.reports.release_words import most_flipped, slice_name

_WIDTH = 340  # with axes about 430: readable on a phone, where the page scales it to 360
_SERIES = ("#0072b2", "#c8500a", "#00875f", "#b35c92")  # of Okabe and Ito, the lighter two darkened
_SHAPES = ("circle", "square", "triangle-up", "diamond")
_ROOM = {"left": 20, "right": 12, "top": 5, "bottom": 5}  # a browser's letters may be wider than those laid out
_LONGEST_NAME = 18
_MOST_FEATURES = 12
_DAYS = alt.Axis(format="%d %b", labelOverlap=True, tickCount=6, title=None)
_TEXT = "currentColor"


def versions_over_time(windows: Sequence[Window], *, found: Sequence[date], label: str) -> str | None:
    """A bar a stint of a version; a diamond on each day of `found`, when the watch found something."""
    if not windows:
        return None
    stints = [
        {"start": _day(stint[0].start), "end": _day_after(stint[-1].end), "version": _name(version)}
        for version, stint in _stints(windows)
    ]
    runs = [_name(window.version) for window in windows]
    order = list(dict.fromkeys(runs))
    marks = [
        {"day": _day(day), "version": _name(window.version)} for day in found for window in windows if window.end == day
    ]
    y_axis = alt.Y("version:N", sort=order, title=None)
    bars = (
        alt.Chart(_data(stints))
        .mark_bar(height=16)
        .encode(x=_time("start", windows), x2="end", y=y_axis, color=_color(order))
    )
    diamonds = (
        alt.Chart(_data(marks))
        .mark_point(shape="diamond", size=110, filled=True, color=_TEXT, opacity=1)
        .encode(x=_time("day", windows), y=y_axis)
    )
    return _svg(alt.layer(bars, *([diamonds] if marks else [])).properties(height=30 * len(order)), label=label)


def metric_over_time(
    windows: Sequence[Window], *, metric: Metric, limits: Mapping[str, float], label: str
) -> str | None:
    """A metric of the trailing days with its interval, the limit of each version, and always answering positive.

    The last is F1 of a constant, and stands where the windows tell it.
    """
    points = [
        row
        for number, (_, stint) in enumerate(_stints(windows))
        for row in _rows_of(metric, stint, stint_number=number)
    ]
    if not points:
        return None
    with_constant = any(point["always"] is not None for point in points)
    lines = _limit_rows(windows, limits)
    order = list(dict.fromkeys(_name(window.version) for window in windows))
    dashes = _dashes([metric.title, "limit", *(["always positive"] if with_constant else [])])
    measured = alt.Chart(_data(points)).encode(
        x=_time("end", windows), color=_color(order, legend=True), detail="stint:N"
    )
    layers = (
        measured.mark_rule(strokeWidth=2, opacity=0.45).encode(y=_height("low", metric), y2="high"),
        measured.mark_line(strokeWidth=2).encode(y="value:Q", strokeDash=dashes),
        measured.mark_point(filled=True, size=36, opacity=1).encode(y="value:Q", shape=_shape(order)),
        *([_constant(measured, dashes)] if with_constant else []),
        alt.Chart(_data(lines))
        .mark_rule(strokeWidth=2)
        .encode(x=_time("start", windows), x2="end", y="limit:Q", strokeDash=dashes, color=_color(order, legend=True)),
    )
    return _svg(alt.layer(*layers[: None if lines else -1]).properties(height=220), label=label)


def _constant(measured: alt.Chart, dashes: alt.StrokeDash) -> alt.Chart:
    line: alt.Chart = measured.mark_line(strokeWidth=2).transform_calculate(kind="'always positive'")
    return line.encode(y="always:Q", strokeDash=dashes, color=alt.value(_TEXT))


def drift_by_feature(
    windows: Sequence[Window], *, limits: Mapping[date, Mapping[str, float]], limit: float, label: str
) -> str | None:
    """The proven part of each feature's distance, a row a feature, with its limit as a line.

    `limits` are those of each feature, by the last day of a window; `limit` is that of the policy, which holds for all
    others.
    """
    rows = [
        {
            "start": _day(window.start),
            "end": _day_after(window.end),
            "feature": _name(one.feature),
            "distance": one.low,
            "zero": 0,
            "limit": limits.get(window.end, {}).get(one.feature, limit),
        }
        for window in windows
        for one in window.drift
    ]
    order = _largest_first(windows)
    if not rows:
        return None
    facets = (
        alt.layer(*_drift_layers(windows, limit=limit))
        .properties(height=46)
        .facet(
            row=alt.Row(
                "feature:N", sort=order, title=None, header=alt.Header(labelAngle=0, labelAlign="left", labelPadding=16)
            ),
            data=_data([row for row in rows if row["feature"] in order]),
            spacing=8,
        )
    )
    return _svg(facets, label=label, width=290)


def flips_by_slice(comparison: ComparisonEvidence, *, label: str) -> str | None:
    rows = [{"slice": _name(slice_name(one)), "flips": one.flips} for one in most_flipped(comparison.slices)]
    if not rows:
        return None
    bars = (
        alt.Chart(_data(rows))
        .mark_bar(color=_SERIES[0], height=14)
        .encode(
            x=alt.X("flips:Q", title="decisions that flip", axis=alt.Axis(tickMinStep=1, tickCount=5)),
            y=alt.Y("slice:N", sort=[str(row["slice"]) for row in rows], title=None),
        )
    )
    return _svg(bars.properties(height=22 * len(rows)), label=label)


def largest_distances(windows: Sequence[Window]) -> dict[str, float]:
    """Of each feature, over the windows, the largest feature first."""
    largest: dict[str, float] = {}
    for window in windows:
        for one in window.drift:
            largest[one.feature] = max(one.low, largest.get(one.feature, 0.0))
    return dict(sorted(largest.items(), key=lambda pair: (-pair[1], pair[0])))


def _drift_layers(windows: Sequence[Window], *, limit: float) -> tuple[alt.Chart, alt.Chart]:
    distance = alt.Y(
        "distance:Q", title=None, scale=alt.Scale(domainMin=0), axis=alt.Axis(values=[limit, 0.5], format=".2f")
    )
    bars = alt.Chart().mark_rect(color=_SERIES[0]).encode(x=_time("start", windows), x2="end", y=distance, y2="zero")
    line = (
        alt.Chart()
        .mark_rule(color=_SERIES[1], strokeDash=[7, 4], strokeWidth=2)
        .encode(x=_time("start", windows), x2="end", y="limit:Q")
    )
    return bars, line


def _largest_first(windows: Sequence[Window]) -> list[str]:
    return [_name(feature) for feature in largest_distances(windows)][:_MOST_FEATURES]


def _rows_of(metric: Metric, stint: Sequence[Window], *, stint_number: int) -> list[dict[str, object]]:
    return [
        {
            "end": _day(window.end),
            "version": _name(window.version),
            "stint": stint_number,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "always": window.trailing.always_positive_f1,
            "kind": metric.title,
        }
        for window in stint
        if window.trailing and (found := window.trailing.metrics.get(metric.name))
    ]


def _limit_rows(windows: Sequence[Window], limits: Mapping[str, float]) -> list[dict[str, object]]:
    return [
        {
            "start": _day(stint[0].start),
            "end": _day_after(stint[-1].end),
            "version": _name(version),
            "limit": limits[version],
            "kind": "limit",
        }
        for version, stint in _stints(windows)
        if version in limits
    ]


def _stints(windows: Iterable[Window]) -> list[tuple[str, list[Window]]]:
    """Windows in a row with one version; a version that came back has two."""
    ordered = sorted(windows, key=lambda window: window.start)
    return [(version, list(stint)) for version, stint in groupby(ordered, key=lambda window: window.version)]


def _time(field: str, windows: Sequence[Window]) -> alt.X:
    """The same days in every plot of these windows; an axis in UTC says the same on every machine."""
    first, last = min(window.start for window in windows), max(window.end for window in windows)
    domain = [_milliseconds(first), _milliseconds(last + timedelta(days=1))]
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", domain=domain, nice=False), axis=_DAYS)


def _milliseconds(day: date) -> int:
    """Since 1970, as the scale of an axis counts."""
    return (day - date(1970, 1, 1)).days * 86_400_000


def _height(field: str, metric: Metric) -> alt.Y:
    """From 0 to 1, or as high as it comes where there is no bound."""
    scale = alt.Scale(zero=True) if metric.unbounded else alt.Scale(domain=[0, 1])
    return alt.Y(f"{field}:Q", title=metric.title, scale=scale)


def _color(versions: Sequence[str], *, legend: bool = False) -> alt.Color:
    scale = alt.Scale(domain=list(versions), range=_repeated(_SERIES, len(versions)))
    return alt.Color("version:N", title=None, scale=scale, legend=alt.Legend(title=None) if legend else None)


def _shape(versions: Sequence[str]) -> alt.Shape:
    scale = alt.Scale(domain=list(versions), range=_repeated(_SHAPES, len(versions)))
    return alt.Shape("version:N", title=None, scale=scale, legend=alt.Legend(title=None))


def _dashes(kinds: Sequence[str]) -> alt.StrokeDash:
    scale = alt.Scale(domain=list(kinds), range=[[1, 0], [7, 4], [2, 3]][: len(kinds)])
    return alt.StrokeDash(
        "kind:N", title=None, scale=scale, legend=alt.Legend(symbolSize=500, symbolStrokeWidth=2, orient="top")
    )


def _repeated(values: Sequence[str], times: int) -> list[str]:
    return [values[number % len(values)] for number in range(times)]


def _data(rows: Sequence[Mapping[str, object]]) -> alt.InlineData:
    return alt.InlineData(values=[dict(row) for row in rows])


def _day(day: date) -> str:
    return day.isoformat()


def _day_after(day: date) -> str:
    """Windows include their last day, bars end where the next begins."""
    return (day + timedelta(days=1)).isoformat()


def _name(text: str) -> str:
    return shortened(one_line(text), longest=_LONGEST_NAME)


def _svg(chart: alt.LayerChart | alt.FacetChart | alt.Chart, *, label: str, width: int = _WIDTH) -> str:
    specification = chart.to_dict()
    specification.get("spec", specification)["width"] = width
    specification["config"] = _config()
    specification["padding"] = _ROOM
    drawn = vl_convert.vegalite_to_svg(specification)
    return _inline(drawn, label=label)


def _config() -> dict[str, Any]:
    letters = {"labelColor": _TEXT, "titleColor": _TEXT, "labelFontSize": 12, "titleFontSize": 12}
    lines = {"gridColor": _TEXT, "gridOpacity": 0.15, "domainColor": _TEXT, "tickColor": _TEXT}
    return {
        "background": None,
        "aria": False,
        "font": "Helvetica, Arial, sans-serif",
        "view": {"stroke": None},
        "axis": letters | lines | {"labelLimit": 140},
        "header": letters | {"labelLimit": 100},
        "legend": letters
        | {"orient": "bottom", "columns": 3, "symbolOpacity": 1, "symbolStrokeColor": _TEXT, "labelLimit": 130},
    }


def _inline(drawn: str, *, label: str) -> str:
    """An SVG that grows with its place, and whose inner names clash with no other of the page."""
    unique = f"plot-{crc32(drawn.encode()):08x}-"
    named = re.sub(r'(id="|url\(#)', rf"\g<1>{unique}", drawn)
    opening = re.match(r"<svg [^>]*>", named)
    if opening is None:
        return named
    box = re.search(r'viewBox="[^"]+"', opening.group())
    attributes = f'{box.group() if box else ""} role="img" aria-label="{escape(one_line(label))}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{named[opening.end() :]}'
