"""What ran before Slipway came is signed when it is adopted: else there would be no way back from the first release."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from slipway.adapters.rollout.process import stop_all
from slipway.adapters.signatures.cosign import KEY
from slipway.domain.baseline import Baseline
from slipway.domain.tag import ReleaseTag

from tests.signatures.conftest import Pair, Signing
from tests.signatures.test_signed_releases import command, provenance
from tests.team import MODEL, ROOT, Tip

_TAG = ReleaseTag.parse("tip@v1.2.3")


@pytest.fixture
def file(signing: Signing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What runs today; commands run in the checkout, which has what brings ONNX files into their form."""
    monkeypatch.chdir(signing.team.root)
    shutil.copy(ROOT / "requirements" / "onnx.txt", signing.team.root / "requirements" / "onnx.txt")
    signing.team.commit("Convert ONNX files, too")
    path = tmp_path / "runs.onnx"
    path.write_bytes(Tip().onnx())
    return path


def adopt(*what: str) -> tuple[int, str]:
    return command("adopt", MODEL, "--version", "v1.2.3", *what)


def baseline(signing: Signing) -> Baseline:
    found = signing.team.history.baseline(_TAG)
    assert found is not None
    return found


def test_what_is_pushed_is_signed_and_goes_live_and_is_gone_back_to(signing: Signing, file: Path) -> None:
    """Who set keys expects that nothing is let in without; what ran before is no exception."""
    code, said = adopt("--onnx", str(file))

    assert code == 0, said
    found = baseline(signing)
    assert len(signing.signed(str(found.image))) == 1
    told = provenance(signing, str(found.image))["buildDefinition"]
    assert (told["buildType"], told["externalParameters"]["version"]) == ("urn:slipway:adoption:v1", "tip@v1.2.3")
    assert {"name": "model.onnx", "digest": {"sha256": found.onnx}} in told["resolvedDependencies"]
    signing.team.commit("Say what runs")
    try:
        assert command("verify-rollout", MODEL)[0] == 0
    finally:
        stop_all(signing.team.workplace.state / "rollout")


def test_the_same_call_signs_once_and_needs_the_key_no_more(
    signing: Signing, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come from another laptop, whose owner only wants to know whether it went through."""
    assert adopt("--onnx", str(file))[0] == 0
    monkeypatch.delenv(KEY)

    code, said = adopt("--onnx", str(file))

    assert code == 0, said
    image = str(baseline(signing).image)
    assert (len(signing.signed(image)), len(signing.signed(image, "att"))) == (1, 1)


def test_without_the_private_key_nothing_is_pushed_or_recorded(
    signing: Signing, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A way back that is found closed in the night of an incident was none."""
    monkeypatch.delenv(KEY)

    code, said = adopt("--onnx", str(file))

    assert code == 2
    assert f"{KEY} is not set here" in said
    assert signing.team.history.baseline(_TAG) is None
    assert not signing.served.tags(f"{signing.prefix}/{MODEL}").exists()
    assert not (signing.team.root / "deploy" / "production" / MODEL).exists()


def test_a_dry_run_needs_no_private_key_and_signs_nothing(
    signing: Signing, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at by more people than hold the key."""
    monkeypatch.delenv(KEY)

    code, said = adopt("--onnx", str(file), "--dry-run")

    assert code == 0, said
    assert not signing.served.tags(f"{signing.prefix}/{MODEL}").exists()


def test_what_was_adopted_before_there_was_a_key_is_signed_as_its_refusal_says(
    corner: Signing, file: Path, ours: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version is released by no tag, so the mend of a release would mend nothing."""
    corner.use()
    assert adopt("--onnx", str(file))[0] == 0
    corner.use(ours=ours)
    image = str(baseline(corner).image)
    try:
        code, said = command("verify-rollout", MODEL)
        assert code == 2
        again = f"adopt {MODEL} --environment production --version v1.2.3 --image {image}"
        assert (
            f"adopt it again where the signing key is set, which signs the image that is there: slipway {again}" in said
        )

        assert command(*again.split())[0] == 0

        assert command("verify-rollout", MODEL)[0] == 0
    finally:
        stop_all(corner.team.workplace.state / "rollout")


def test_an_opaque_image_is_not_signed(signing: Signing, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slipway neither built it nor ever starts it, and nobody looked into it."""
    monkeypatch.delenv(KEY)

    code, said = adopt("--image", f"registry.example.org/tips@sha256:{'7' * 64}")

    assert code == 0, said


@pytest.mark.parametrize("write", ["image-signature", "image-provenance"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_a_write_and_run_again_it_is_signed_once(side: str, write: str, signing: Signing, file: Path) -> None:
    """A laptop that falls asleep costs a second call, and leaves nothing half said."""
    words = [str(Path(sys.executable).parent / "slipway"), "adopt", MODEL, "--version", "v1.2.3", "--onnx", str(file)]
    at = {**os.environ, "SLIPWAY_KILL_AT": f"{side}:{write}:1"}

    killed = subprocess.run(words, env=at, capture_output=True, check=False)
    again = subprocess.run(words, capture_output=True, text=True, check=False)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert again.returncode == 0, again.stderr
    image = str(baseline(signing).image)
    assert (len(signing.signed(image)), len(signing.signed(image, "att"))) == (1, 1)


@pytest.fixture(autouse=True)
def _no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login of whoever runs the tests is used."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
