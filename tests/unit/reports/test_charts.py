"""Mermaid charts that forges draw."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from slipway.reports.charts import bars, curves

from tests import pages
from tests.unit.reports.github import elements


def test_bars_are_an_xychart() -> None:
    """The form that GitHub's renderer reads; older ones know no plain `xychart`."""
    assert bars(title="Flips", labels=["origin=EWR", "origin=JFK"], values=[12, 3.25], unit="rows") == (
        '```mermaid\nxychart-beta\n  title "Flips"\n  x-axis ["origin=EWR", "origin=JFK"]\n  y-axis "rows"\n'
        "  bar [12, 3.25]\n```"
    )


def test_curves_have_one_scale() -> None:
    """A free scale makes a fall of 0.01 look like the end."""
    chart = curves(title="F1", labels=["a"], values=[[0.5], [0.25]], unit="F1", top=1.0)
    assert '  y-axis "F1" 0 --> 1\n  line [0.5]\n  line [0.25]' in chart


@given(labels=st.lists(st.text(max_size=30), min_size=1, max_size=8))
@example(labels=[pages.HOSTILE, pages.HOSTILE, '"] ```', "語", ""])
@example(labels=["a", "a", "a no. 2", "a"])
def test_any_label_leaves_the_chart_whole(labels: list[str]) -> None:
    """A quote ends a label, a fence the chart; equal labels are drawn over each other."""
    chart = bars(title="t", labels=labels, values=[1.0] * len(labels), unit="rows")
    assert elements(f"{chart}\n") == ["fence"]
    axis = next(line for line in chart.splitlines() if line.startswith("  x-axis"))
    written = re.findall(r'"([^"]*)"', axis)
    assert len(written) == len(labels) == len(set(written))
    assert axis.isascii()


def test_small_and_large_numbers_are_written_out() -> None:
    """Mermaid reads no exponent."""
    assert "bar [0.0001, 1234567, 0]" in bars(title="t", labels=["a", "b", "c"], values=[0.0001, 1234567, 0], unit="u")
