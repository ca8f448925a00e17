"""Mermaid charts for Markdown. A forge draws them; a table always stands beside, since not every reader does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from slipway.reports.markdown import Markdown, fenced

_LONGEST_LABEL = 16
_NOT_IN_A_LABEL = re.compile(r"[^A-Za-z0-9 =.,_+-]")


def bars(*, title: str, labels: Sequence[str], values: Sequence[float], unit: str) -> Markdown:
    """A bar a label; Mermaid reads ASCII only, and draws two equal labels over each other."""
    return _chart(
        title=title, labels=labels, y_axis=f'"{_label(unit, longest=40)}"', series=[f"bar {_numbers(values)}"]
    )


def curves(*, title: str, labels: Sequence[str], values: Sequence[Sequence[float]], unit: str, top: float) -> Markdown:
    """Lines over the same labels, from 0 to `top`; Mermaid draws no legend, so the title names them in order."""
    y_axis = f'"{_label(unit, longest=40)}" 0 --> {top:g}'
    return _chart(title=title, labels=labels, y_axis=y_axis, series=[f"line {_numbers(one)}" for one in values])


def _chart(*, title: str, labels: Sequence[str], y_axis: str, series: Sequence[str]) -> Markdown:
    names = ", ".join(f'"{label}"' for label in _distinct(labels))
    return fenced(
        "\n".join(
            [
                "xychart-beta",
                f'  title "{_label(title, longest=100)}"',
                f"  x-axis [{names}]",
                f"  y-axis {y_axis}",
                *(f"  {one}" for one in series),
            ]
        ),
        language="mermaid",
    )


def _distinct(labels: Sequence[str]) -> list[str]:
    taken: list[str] = []
    for text in labels:
        label = _label(text, longest=_LONGEST_LABEL)
        taken.append(label if label not in taken else f"{label} no. {len(taken) + 1}")
    return taken


def _label(text: str, *, longest: int) -> str:
    return _NOT_IN_A_LABEL.sub("?", text)[:longest].strip() or "?"


def _numbers(values: Sequence[float]) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
