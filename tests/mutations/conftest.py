"""Good conversions of every framework, and what becomes of each when it is damaged; both once a session.

The models are those that the tests of the converters train: no framework is started for this alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from slipway.adapters.repository import Repository

from tests.mutations.suite import Good, Outcome, outcomes_of
from tests.unit.converters.conftest import (  # noqa: F401  # fixtures
    ROOT,
    Conversion,
    Trained,
    conversion,
    flights,
    models_of,
    saved_models,
    shared,
    tensorflow_python,
)

AS_RELEASED = "good"  # converted by the steps of a release, the others in the process that trained them


@dataclass(frozen=True)
class Damaged:
    """The models of one framework that are damaged: those that the bounds were chosen on, and others.

    The held-out ones came in a commit after the bounds.
    """

    models: Sequence[str]
    held_out: Sequence[str]


FAMILIES: Mapping[str, Damaged] = {
    "keras": Damaged((), ("flights", "digits", "diabetes")),
    "lightgbm": Damaged(
        ("flights", "breast cancer", "wine", "diabetes", "missing", "neighbours"),
        ("held out: cancer", "held out: digits", "held out: diabetes"),
    ),
    "onnx": Damaged(("flights", "wine", "trained here"), ("held out: diabetes",)),
    "pytorch": Damaged((), ("digits", "diabetes", "late")),
    "scikit-learn": Damaged(
        (
            "linear",
            "scaler between casts before trees",
            "scaler before a forest",
            "ordinal forest",
            "breast cancer",
            "wine",
            "diabetes",
            "diabetes, binned",
            "diabetes, linear",
            "digits",
            "seconds, double, forest",
            "seconds, scaled",
        ),
        ("held out: cancer", "held out: wine", "held out: diabetes", "held out: iris", "held out: flights"),
    ),
    "tensorflow": Damaged((AS_RELEASED, "late flights", "bars"), ("held out: bars", "held out: delay")),
    "xgboost": Damaged(
        ("flights", "breast cancer, ubj", "stopped early", "wine", "diabetes", "seconds, double"),
        ("held out: digits", "held out: cancer", "held out: diabetes"),
    ),
}
Outcomes = Callable[[str], list[Outcome]]


@pytest.fixture(scope="session")
def outcomes(shared: Path, request: pytest.FixtureRequest) -> Outcomes:  # noqa: F811  # the fixture
    """All that was found of a framework, computed once for all processes of pytest-xdist."""

    def found(framework: str) -> list[Outcome]:
        path = shared / f"mutations of {framework}.json"
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                path.write_text(json.dumps([asdict(one) for one in _computed(framework, request)]))
        return [
            Outcome(**{**one, "findings": tuple(map(tuple, one["findings"]))}) for one in json.loads(path.read_text())
        ]

    return found


def _computed(framework: str, request: pytest.FixtureRequest) -> list[Outcome]:
    limit = Repository.around(ROOT).policies().fidelity.limit  # as it ships
    scratch = request.getfixturevalue("tmp_path_factory").mktemp("damaged")
    return [one for good in _good(framework, request) for one in outcomes_of(good, limit=limit, scratch=scratch)]


def _good(framework: str, request: pytest.FixtureRequest) -> Iterator[Good]:
    models: Trained = request.getfixturevalue("models_of")(framework)
    family = FAMILIES[framework]
    for name in (*family.models, *family.held_out):
        if name == AS_RELEASED:
            converted: Conversion = request.getfixturevalue("conversion")
            yield Good(name, converted.folder, converted.told.model_dump())
        else:
            yield Good(name, models.folder / name, models.told[name])
