"""The benchmark of servers: its words, its figures, and the page that is drawn from them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import serve
from tests.benchmarks.servers import page, questions
from tests.benchmarks.servers.peers import PEERS

DOCS = Path(__file__).resolve().parents[2] / "docs"
SLIPWAY = PEERS[0]


@pytest.fixture
def bench(tmp_path: Path) -> serve.Bench:
    """With this environment in the place of one that is made anew."""
    models = {"numbers": tmp_path / "numbers.onnx", "texts": tmp_path / "texts.onnx"}
    questions.write_numbers(models["numbers"])
    questions.write_texts(models["texts"])
    environments = tmp_path / "environments"
    environments.mkdir()
    (environments / "slipway").symlink_to(sys.prefix, target_is_directory=True)
    return serve.Bench(tmp_path, environments, 1, models)


def cells(requests: float, seconds: float, memory: float) -> dict[str, Any]:
    return {"one_row_32": {"requests_a_second": requests}, "first_answer_seconds": seconds, "idle_bytes": memory}


def found(*rounds: dict[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {name: {} for one in rounds for name in one}
    return {"servers": names, "rounds": [{"servers": one} for one in rounds]}


def test_our_server_answers_every_question_as_onnxruntime_does(bench: serve.Bench) -> None:
    """Speed of wrong answers would be no speed."""
    many, texts = questions.numbers(1000), questions.texts()
    with serve._served(bench, SLIPWAY, "numbers", questions.numbers(1)) as server:
        server.check(questions.in_protocol_v2(many), bench.models["numbers"], many)
        server.check(questions.in_binary(many), bench.models["numbers"], many)
        assert server.first_answer_seconds > 0
    with serve._served(bench, SLIPWAY, "texts", texts) as server:
        server.check(questions.in_protocol_v2(texts), bench.models["texts"], texts)


def test_a_server_that_answers_otherwise_is_not_measured(bench: serve.Bench) -> None:
    """The check must be able to fail: here the server is asked one thing and compared with another."""
    asked, other = questions.numbers(1), questions.numbers(1) + np.float32(1)
    with (
        serve._served(bench, SLIPWAY, "numbers", asked) as server,
        pytest.raises(serve.DoesNotRun, match=r"/v2/models/bench/infer answers .* onnxruntime"),
    ):
        server.check(questions.in_protocol_v2(asked), bench.models["numbers"], other)


def test_what_does_not_start_is_told_with_its_command_and_last_words(bench: serve.Bench) -> None:
    """A peer that is left out in silence looks like one that lost."""
    bench.models["numbers"].write_bytes(b"no model")
    with (
        pytest.raises(serve.DoesNotRun, match=r"(?s)-m serving .* does not answer:.*model\.onnx"),
        serve._served(bench, SLIPWAY, "numbers", questions.numbers(1)),
    ):
        pass


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_server_is_asked_for_the_same_values(peer: Any) -> None:
    """Whatever the words."""
    values = questions.numbers(3)
    body = json.loads(peer.ask(values).body)
    told = body["inputs"][0]["data"] if isinstance(body.get("inputs"), list) else body.get("x", body.get("inputs"))
    told = told["x"] if isinstance(told, dict) else told

    assert np.array_equal(np.ravel(np.array(told, dtype=np.float32)), values.ravel())


@pytest.mark.parametrize(
    "body",
    [b'{"outputs": [{"name": "y", "data": [0.5, 1]}]}', b'{"predictions": {"y": [[0.5, 1]]}}', b'{"y": [[0.5], [1]]}'],
)
def test_answers_are_read_in_all_their_words(body: bytes) -> None:
    """Of the protocol, of MLflow, and of those without one."""
    assert questions.answer_in(body, None) == [0.5, 1.0]


def test_an_answer_in_binary_is_read_behind_its_json() -> None:
    assert questions.answer_in(b"{}" + np.array([0.5, 1], dtype="<f4").tobytes(), 2) == [0.5, 1.0]


def test_figures_are_medians_of_rounds_against_the_best_of_the_others() -> None:
    """One lucky round of ours, or one unlucky one of theirs, must not make a claim."""
    ours = [{"Slipway": cells(rate, 0.5, 50e6)} for rate in (9000, 8000, 100)]
    slow, quick = cells(500, 1.0, 100e6), cells(1000, 2.0, 200e6)
    measured = found(*({**one, "Slow": slow, "Quick": quick} for one in ours))

    told = page.tables(measured)

    assert "8,000 against 1,000 of Quick, the best of the others: 8.00 times" in told
    assert "50 MB against 100 MB of Slow, the best of the others: 0.50 times" in told
    assert "0.50 s against 1.00 s of Slow, the best of the others: 0.50 times" in told


def test_the_page_says_what_else_the_machine_did() -> None:
    """Figures of a busy machine must not be read as those of a quiet one."""
    measured = json.loads((DOCS / "benchmarks" / "serve.json").read_text())

    assert "\nConditions: two builds ran." in page.drawn(measured | {"conditions": "two builds ran."})["benchmarks.md"]
    assert "Conditions:" not in page.drawn(measured | {"conditions": ""})["benchmarks.md"]


def test_a_server_that_failed_has_no_figures_and_its_reason() -> None:
    measured = json.loads((DOCS / "benchmarks" / "serve.json").read_text())
    measured["servers"]["Gone"] = {"error": "pip install gone\nno such package"}

    drawn = page.drawn(measured)["benchmarks.md"]

    assert "| Gone | – | – |" in drawn
    assert "- Gone: was not measured: `pip install gone no such package`" in drawn


def test_the_page_is_the_one_of_the_raw_data() -> None:
    """Figures that were typed, or that are of another run, are worth nothing."""
    measured = json.loads((DOCS / "benchmarks" / "serve.json").read_text())
    drawn = page.drawn(measured)

    assert (DOCS / "benchmarks.md").read_text() == drawn.pop("benchmarks.md")
    for name in drawn:  # letters are laid out by the fonts of a machine, so not byte by byte
        plot = (DOCS / name).read_text()
        assert plot.startswith("<svg") and all(f">{server}</text>" in plot for server in measured["servers"])
