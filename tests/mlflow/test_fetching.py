"""What a run logged is fetched by MLflow's own client, with what the run tells of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.sources import process
from slipway.adapters.sources.fetched import Fetched
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SlipwayError, SourceRefused, TrackingServerRefused, Unreachable

from tests.mlflow.conftest import MLflow
from tests.mlflow.servers import answering, refusing, silent
from tests.team import ROOT

pytestmark = pytest.mark.xdist_group("mlflow")


def fetch(address: str, into: Path, *, server: str, limit: SourceLimit | None = None, token: str = "") -> Fetched:
    """As the step does: in a process of its own, with the environment of a job."""
    into.mkdir(exist_ok=True)
    return process.fetch(
        SourceAddress.parse(address),
        into=into,
        limit=limit or SourceLimit(),
        requirements=ROOT / "requirements",
        environment={
            "MLFLOW_TRACKING_URI": server,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            **({"MLFLOW_TRACKING_TOKEN": token} if token else {}),
        },
    )


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_version_brings_its_model_file_and_what_its_run_tells(mlflow: MLflow, tmp_path: Path) -> None:
    """Who asks in a year what the model was trained on finds it beside the release, also where MLflow is gone."""
    found = fetch("models:/tip/2", tmp_path / "source", server=mlflow.address)

    training = found.training
    assert (found.resolved, names(tmp_path / "source")) == ("models:/tip/2", ["model.skops"])
    assert training is not None
    assert (training.model_name, training.model_version) == ("tip", "2")
    assert (training.run_id, training.experiment) == (mlflow.runs["tip"][1], "tips")
    assert (training.tracking_server, training.commit) == ("127.0.0.1", "4b1d" * 10)
    assert [(one.name, len(one.digest)) for one in training.datasets] == [("tables", 8)]
    assert training.metrics == {"f1": 0.75}  # and none that is no number


def test_an_alias_is_the_version_that_it_names_now(mlflow: MLflow, tmp_path: Path) -> None:
    """An alias moves; what is recorded must not."""
    found = fetch("models:/tip@champion", tmp_path / "source", server=mlflow.address)

    assert found.resolved == "models:/tip/1"
    assert found.training is not None and found.training.model_version == "1"


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("models:/lightgbm/1", ["model.txt"]),
        ("models:/xgboost/1", ["model.ubj"]),
        ("models:/onnx/1", ["model.onnx"]),
        ("runs:/RUN/model", ["model.skops"]),
        ("runs:/RUN/model/model.skops", ["model.skops"]),
    ],
)
def test_of_a_models_folder_comes_what_a_converter_reads(
    address: str, holds: list[str], mlflow: MLflow, tmp_path: Path
) -> None:
    """What MLflow lays beside it, its own environments and examples, would make every release another source."""
    found = fetch(address.replace("RUN", mlflow.runs["tip"][0]), tmp_path / "source", server=mlflow.address)

    fetched = [name for name in names(tmp_path / "source") if not name.endswith(".data")]  # by a name of chance
    assert fetched == holds
    assert found.training is not None and found.training.run_id is not None
    assert (found.training.model_version is None) == address.startswith("runs:")


@pytest.mark.parametrize(
    ("address", "kind", "says"),
    [
        ("models:/tip/77", TrackingServerRefused, "has no models:/tip/77"),
        ("models:/nobody/1", TrackingServerRefused, "has no models:/nobody/1"),
        ("models:/tip@nobody", TrackingServerRefused, "models:/tip@nobody"),
        ("models:/tip/latest", SourceRefused, "mean another version tomorrow"),
        ("models:/pickled/1", SourceRefused, 'serialization_format="skops"'),
        (f"runs:/{'0' * 32}/model", TrackingServerRefused, "has no runs:/"),
        ("runs:/RUN/nothing", SourceRefused, "holds no file"),
    ],
)
def test_what_is_not_there_is_said_with_the_mend(
    address: str, kind: type[SlipwayError], says: str, mlflow: MLflow, tmp_path: Path
) -> None:
    """A traceback of a client's insides sends people to the wrong place."""
    with pytest.raises(kind) as refused:
        fetch(address.replace("RUN", mlflow.runs["tip"][0]), tmp_path / "source", server=mlflow.address)

    assert says in str(refused.value)
    assert refused.value.exit_code == 2
    assert names(tmp_path / "source") == []


@pytest.mark.parametrize(("status", "says"), [(401, "does not know who asks"), (403, "does not allow")])
def test_who_may_not_read_is_told_which_variables_say_who_asks(status: int, says: str, tmp_path: Path) -> None:
    """The secret of the job is what has to be mended."""
    with refusing(status) as server, pytest.raises(TrackingServerRefused) as refused:
        fetch("models:/tip/1", tmp_path / "source", server=server)

    assert says in refused.value.problem
    assert "MLFLOW_TRACKING_TOKEN" in refused.value.mend


def test_a_server_that_is_away_is_no_fault_of_the_model(tmp_path: Path) -> None:
    """The run is started again, and nobody looks for a mistake in the repository."""
    with pytest.raises(Unreachable) as away:
        fetch("models:/tip/1", tmp_path / "source", server="http://127.0.0.1:9")

    assert "does not answer (connection refused)" in away.value.problem


def test_an_address_with_a_password_in_it_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """Addresses end up in logs."""
    with pytest.raises(TrackingServerRefused) as refused:
        fetch("models:/tip/1", tmp_path / "source", server="https://ada:swordfish@127.0.0.1:9")

    assert "swordfish" not in str(refused.value)
    assert "MLFLOW_TRACKING_PASSWORD" in refused.value.mend


def test_what_is_larger_than_the_limit_is_not_fetched(mlflow: MLflow, tmp_path: Path) -> None:
    """The listing tells the sizes, so that a disk is not filled first."""
    with pytest.raises(SourceRefused, match="more than 10 bytes"):
        fetch("models:/lightgbm/1", tmp_path / "source", server=mlflow.address, limit=SourceLimit(bytes=10))


_VERSION = {"model_version": {"name": "tip", "version": "1", "source": "x", "run_id": ""}}


@pytest.mark.parametrize(
    ("kept_at", "listed", "says"),
    [
        ("mlflow-artifacts:/1/model", "../../authorized_keys", "Invalid path"),
        ("mlflow-artifacts:/1/model", "/etc/passwd", "Invalid path"),
        ("/etc", "passwd", "a folder of its own machine"),
        ("file:///etc", "passwd", "a folder of its own machine"),
        ("runs:/4b1d/model", "passwd", "a folder of its own machine"),
        ("s3://bucket/model", "model.skops", "needs `boto3`, which is not installed"),
    ],
)
def test_a_server_cannot_lead_the_client_to_files_of_this_machine(
    kept_at: str, listed: str, says: str, tmp_path: Path
) -> None:
    """Who can edit a version's place could else have a secret of the runner released as a model, or a file written."""
    answers = {
        "model-versions/get": _VERSION,
        "registered-models/get": {"registered_model": {"name": "tip"}},
        "model-versions/get-download-uri": {"artifact_uri": kept_at},
        "runs/get": {"run": {"info": {"run_id": "4b1d", "artifact_uri": "/etc"}, "data": {}}},
        "mlflow-artifacts/artifacts": {"files": [{"path": listed, "is_dir": False, "file_size": 3}]},
    }
    with answering(answers) as server, pytest.raises(SlipwayError) as refused:
        fetch("models:/tip/1", tmp_path / "source", server=server)

    assert says in str(refused.value)
    assert names(tmp_path) == []


def test_folders_within_folders_have_an_end(tmp_path: Path) -> None:
    """A server that lists one in each is asked until the time is over else, or until Python's stack is full."""
    answers = {
        "model-versions/get": _VERSION,
        "registered-models/get": {"registered_model": {"name": "tip"}},
        "model-versions/get-download-uri": {"artifact_uri": "mlflow-artifacts:/1/model"},
        "mlflow-artifacts/artifacts": {"files": [{"path": "deeper", "is_dir": True}]},
    }
    with answering(answers) as server, pytest.raises(SourceRefused, match="more than 50 files"):
        fetch("models:/tip/1", tmp_path / "source", server=server, limit=SourceLimit(files=50))


@pytest.mark.parametrize("kept_at", ["http://127.0.0.1:PORT/files", "mlflow-artifacts://127.0.0.1:PORT/files"])
def test_a_token_is_shown_to_no_other_server_than_its_own(kept_at: str, tmp_path: Path) -> None:
    """Who may log a run says where its files lie, and MLflow's client shows the token there."""
    with silent() as other:
        answers = {
            "model-versions/get": _VERSION,
            "registered-models/get": {"registered_model": {"name": "tip"}},
            "model-versions/get-download-uri": {"artifact_uri": kept_at.replace("PORT", other.address.split(":")[-1])},
        }
        with answering(answers) as server, pytest.raises(SourceRefused, match="shown the credentials") as refused:
            fetch("models:/tip/1", tmp_path / "source", server=server, token="swordfish")

        assert not other.came.is_set()
    assert "--serve-artifacts" in refused.value.mend
