"""The schemas that editors read say what the classes say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import generate_schemas
import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from slipway.adapters.repository import Repository

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    **{f"policies/{path.name}": path.stem for path in sorted((ROOT / "policies").glob("*.yaml"))},
    "slipway.yaml": "slipway",
    "deploy/quarantine.yaml": "quarantine",
    **{str(path.relative_to(ROOT)): "model" for path in sorted(ROOT.glob("models/*/model.yaml"))},
}


def test_the_schemas_on_disk_are_current() -> None:
    """An editor that completes last month's keys is worse than one that completes none."""
    assert generate_schemas.main(["--check", "--root", str(ROOT)]) == 0


@pytest.mark.parametrize("damage", ["changed", "deleted", "invented"])
def test_a_stale_schema_is_named_with_its_mend(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check has to fail for each way of being stale, or CI checks nothing."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    folder = tmp_path / generate_schemas.FOLDER
    if damage == "deleted":
        (folder / "drift.json").unlink()
    else:
        (folder / ("drift.json" if damage == "changed" else "weather.json")).write_text("{}")

    assert generate_schemas.main(["--check", "--root", str(tmp_path)]) == 1

    told = capsys.readouterr().err
    assert ("weather.json" if damage == "invented" else "drift.json") in told
    assert "mend: make generated" in told
    assert generate_schemas.main(["--root", str(tmp_path)]) == 0
    assert generate_schemas.main(["--check", "--root", str(tmp_path)]) == 0


@pytest.mark.parametrize("file", FILES)
def test_the_files_of_this_repository_satisfy_their_schema(file: str) -> None:
    """A schema that refuses what Slipway itself accepts would underline correct files in red."""
    schema = json.loads((ROOT / generate_schemas.FOLDER / f"{FILES[file]}.json").read_text(encoding="utf-8"))
    content = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(content)
    assert [error.message for error in errors] == []


def test_every_policy_opens_with_its_schema() -> None:
    """That line is how an editor finds the schema at all."""
    for path in sorted((ROOT / "policies").glob("*.yaml")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema=schemas/{path.stem}.json"


def test_every_policy_is_read_and_the_example_is_judged_by_its_own_limits() -> None:
    """The example would be refused by the generic floor, which its own reason says."""
    policies = Repository(ROOT).policies()

    flights, others = (policies.metrics.limit_for(model).f1.floor for model in ("flight-delay", "any-other"))
    assert flights is not None
    assert others is not None
    assert flights < others
    assert policies.previous_version.limit_for("flight-delay").gain > policies.previous_version.limit.gain
