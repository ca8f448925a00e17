"""Why a request got no answer, and why rows are not in the served log: one word each, of labels that are there from
the start, since Prometheus sees no increase where a count begins with one."""

from __future__ import annotations

from typing import Literal

Unanswered = Literal[
    "malformed",
    "no_http",
    "large_head",
    "too_slow",
    "too_large",
    "too_many_rows",
    "unsupported_encoding",
    "refused_by_model",
    "model_failed",
    "overloaded",
    "client_gone",
]
NotStored = Literal["slow", "full", "refused", "gone", "failed"]
NotLogged = Literal[NotStored, "unwritable", "too_few"]
