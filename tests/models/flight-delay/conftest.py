"""The model's folder, and its modules as its own commands import them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

MODEL = Path(__file__).parents[3] / "models" / "flight-delay"


@pytest.fixture(scope="session")
def folder() -> Path:
    return MODEL


@pytest.fixture(scope="session")
def beside_train() -> Iterator[None]:
    """Put the model's folder on the path, as `python models/flight-delay/train.py` does."""
    sys.path.insert(0, str(MODEL))
    yield
    sys.path.remove(str(MODEL))


@pytest.fixture(scope="session")
def flights(beside_train: None) -> ModuleType:
    return importlib.import_module("flights")


@pytest.fixture(scope="session")
def scores(beside_train: None) -> ModuleType:
    return importlib.import_module("scores")


@pytest.fixture(scope="session")
def write_samples(beside_train: None) -> ModuleType:
    return importlib.import_module("write_samples")
