"""SavedModels through a real TensorFlow and tf2onnx, each in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from slipway.converters import tensorflow
from slipway.domain.rows import take

from tests.unit.converters.conftest import OUT_OF_RANGE, SIGNATURE, Conversion

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


def test_the_onnx_file_has_the_signature_and_the_answers_of_its_source(conversion: Conversion) -> None:
    """The whole release stands on this file; strings, unseen ones too, must reach the same rows of a table."""
    answers = conversion.onnx.predict(conversion.samples)

    assert conversion.onnx.signature == SIGNATURE
    np.testing.assert_allclose(answers["p_late"], conversion.source_answers["p_late"], rtol=0, atol=_ROUNDING)


def test_edge_rows_that_the_source_refuses_are_named_and_the_others_answered(conversion: Conversion) -> None:
    """One row that raises must not hide what the source says of the rest."""
    kept = np.array([row for row in range(5) if row not in OUT_OF_RANGE])
    answers = conversion.onnx.predict(take(conversion.edges, kept))["p_late"]

    assert conversion.told.edges_that_raised == OUT_OF_RANGE
    np.testing.assert_allclose(answers, conversion.source_edge_answers["p_late"][kept], rtol=0, atol=_ROUNDING)


def test_the_noise_floor_is_measured_and_of_the_size_of_rounding(conversion: Conversion) -> None:
    """It sets the tolerance; a floor that is large, or of another output, would let every conversion pass."""
    assert set(conversion.told.noise_floor) == {"p_late"}
    assert 0 <= conversion.told.noise_floor["p_late"] < _ROUNDING


def test_the_source_is_asked_again_with_one_dnn_and_one_thread(conversion: Conversion) -> None:
    """TensorFlow reads both when it starts, so the last process of a conversion is one that only asks."""
    last = json.loads((conversion.folder / "process" / "job.json").read_text())
    answered = json.loads((conversion.folder / "process" / "answer" / "result.json").read_text())

    assert last["again"] == tensorflow.asked_again_with
    assert answered["noise_floor"]["p_late"] <= conversion.told.noise_floor["p_late"] < 1e-5


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        ("no such folder", "ConversionFailed: TensorFlow cannot load"),
        ("no signature", "has no signature `serving_default`"),
        ("no variables", "ConversionFailed: TensorFlow cannot load"),
        ("input not declared", "the source asks for an input `gate` (int64), which is not declared"),
        ("input of another type", "the source asks for `gate` as int64(None, 1); declared is float32(2, 1)"),
        ("unknown operation", "Xlogy"),
    ],
)
def test_what_cannot_be_converted_is_said_in_plain_words(saved_models: Path, attempt: str, words: str) -> None:
    """A trace of TensorFlow's insides tells a model developer nothing that they can act on."""
    said = json.loads((saved_models / "refusals.json").read_text())[attempt]

    assert words in said
    assert "mend: " in said
