"""Says which fields of an InferenceService KServe does not know; run with the Python that has KServe's own models.

Reads JSON from standard input, and prints a path a line.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import kserve.models
import kubernetes.client


def unknown(value: Any, kind: str, at: str) -> Iterator[str]:
    """Paths below `at` that the type `kind` lacks, or that are of another; types are spelt as KServe's models do."""
    if (of := re.fullmatch(r"list\[(.+)\]", kind, re.IGNORECASE)) is not None:
        yield from _of_list(value, of[1], at)
    elif (model := getattr(kserve.models, kind, None) or getattr(kubernetes.client, kind, None)) is not None:
        yield from _of_object(value, model, at)
    elif kind in ("str", "int", "bool") and type(value).__name__ != kind:
        yield at


def _of_list(value: Any, kind: str, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield at
        return
    for number, one in enumerate(value):
        yield from unknown(one, kind, f"{at}[{number}]")


def _of_object(value: Any, model: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield at
        return
    types = {spelt: model.openapi_types[name] for name, spelt in model.attribute_map.items()}
    for name, inner in value.items():
        if name in types:
            yield from unknown(inner, types[name], f"{at}.{name}")
        else:
            yield f"{at}.{name}"


if __name__ == "__main__":
    print(*unknown(json.load(sys.stdin), "V1beta1InferenceService", ""), sep="\n")  # noqa: T201
