"""Good conversions of every framework, and what becomes of each when it is damaged; both once a session.

The models are those that the tests of the converters train: no framework is started for this alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from slipway.adapters.repository import Repository

from tests.mutations.suite import Good, Outcome, outcomes_of
from tests.unit.converters.conftest import (  # noqa: F401  # fixtures
    ROOT,
    Conversion,
    conversion,
    flights,
    saved_models,
    shared,
    tensorflow_python,
    trained,
)


@dataclass(frozen=True)
class Family:
    """The models of one framework, by the script that trains them: those that the bounds were chosen on, and others.

    The held-out ones came in a commit after the bounds.
    """

    script: str
    environment: str
    models: Sequence[str]
    held_out: Sequence[str]


FAMILIES: Mapping[str, Family] = {
    "keras": Family("keras_models_for_tests", "tensorflow", (), ("flights", "digits", "diabetes")),
    "lightgbm": Family(
        "lightgbm_models_for_tests",
        "boosters",
        ("flights", "breast cancer", "wine", "diabetes", "missing", "neighbours"),
        ("held out: cancer", "held out: digits", "held out: diabetes"),
    ),
    "onnx": Family("onnx_models_for_tests", "onnx", ("flights", "wine", "trained here"), ("held out: diabetes",)),
    "pytorch": Family("pytorch_models_for_tests", "pytorch", (), ("digits", "diabetes", "late")),
    "scikit-learn": Family(
        "scikit_learn_models_for_tests",
        "scikit-learn",
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
    "tensorflow": Family(
        "saved_models_for_tests",
        "tensorflow",
        ("good", "late flights", "bars"),
        ("held out: bars", "held out: delay"),
    ),
    "xgboost": Family(
        "xgboost_models_for_tests",
        "boosters",
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


def _good(framework: str, request: pytest.FixtureRequest) -> list[Good]:
    family = FAMILIES[framework]
    if framework == "tensorflow":
        return _good_of_tensorflow(family, request)
    folder, rows = (request.getfixturevalue(name) for name in ("shared", "flights"))
    if framework == "onnx":  # whose sources are what scikit-learn's models became
        scikit_learn = FAMILIES["scikit-learn"]
        trained(scikit_learn.script, scikit_learn.environment, shared=folder, flights=rows)
    if framework in ("keras", "pytorch"):
        trained("datasets_for_tests", "scikit-learn", shared=folder, flights=rows)
    models = trained(family.script, family.environment, shared=folder, flights=rows)
    return [Good(name, models.folder / name, models.told[name]) for name in (*family.models, *family.held_out)]


def _good_of_tensorflow(family: Family, request: pytest.FixtureRequest) -> list[Good]:
    """`good` was converted as a release does it, the others in the process that trained them."""
    converted: Conversion = request.getfixturevalue("conversion")
    folder: Path = request.getfixturevalue("saved_models")
    told = json.loads((folder / "told.json").read_text())
    first, *others = (*family.models, *family.held_out)
    as_released = Good(first, converted.folder, converted.told.model_dump())
    return [as_released, *(Good(name, folder / name, told[name]) for name in others)]
