"""A release is signed where it is pushed, and what nobody signed neither becomes live nor is gone back to."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import stamina
from slipway.adapters import deploy_tree, git, signatures
from slipway.adapters.rollout.process import stop_all
from slipway.adapters.signatures.cosign import KEY
from slipway.cli import slipway
from slipway.cli.failures import told
from slipway.domain.identity import Identity
from slipway.domain.limits import Reversion as Means
from slipway.domain.release import Image, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.steps import file_issue, revert_manifest

from tests.signatures.conftest import Pair, Signing
from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from


@pytest.fixture
def released(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signing]:
    """v1.0.0 is signed and merged; commands run in the team's checkout."""
    monkeypatch.chdir(signing.team.root)
    signing.team.release(signing.team.tag("tip@v1.0.0", "Begin"))
    signing.team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    yield signing
    stop_all(signing.team.workplace.state / "rollout")


def command(*words: str) -> tuple[int, str]:
    """How a command ended, and all that it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = told(lambda: slipway.main(args=list(words), prog_name="slipway", standalone_mode=False))
    return code, out.getvalue() + err.getvalue()


def image(team: Team, tag: str) -> Image:
    return team.record(tag).page(Image, written_by="build-image").body


def provenance(signing: Signing, digest: str) -> dict[str, Any]:
    """As anybody with the public key reads it."""
    name = f"{signing.served.host}/{signing.prefix}/{MODEL}@{digest}"
    key = str(signing.team.root / "ours.pub")
    words = ["verify-attestation", "--key", key, "--insecure-ignore-tlog=true", "--type", "slsaprovenance1", name]
    done = subprocess.run(["cosign", *words], capture_output=True, text=True, check=True)
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(done.stdout)["payload"]))
    assert statement["subject"][0]["digest"] == {"sha256": digest.removeprefix("sha256:")}
    found: dict[str, Any] = statement["predicate"]
    return found


def deployed(team: Team) -> str:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    return live.tag


def test_provenance_names_tag_both_commits_converter_runtime_and_verdicts(released: Signing) -> None:
    """Whoever holds an image and the public key learns where it comes from without asking us."""
    team = released.team
    found = provenance(released, image(team, "tip@v1.0.0").digest)

    identity = team.record("tip@v1.0.0").page(Identity, written_by="resolve-tag").body
    verdicts = team.record("tip@v1.0.0").page(Verdicts, written_by="judge")
    build = found["buildDefinition"]
    named = {one["name"]: one["digest"] for one in build["resolvedDependencies"]}
    assert build["externalParameters"]["tag"] == "tip@v1.0.0"
    assert set(build["internalParameters"]["tools"]) == {"numpy", "onnxruntime"}
    assert named["tag"] == {"gitTag": identity.tag_object}
    assert named["tagged commit"] == {"gitCommit": identity.commit}
    assert named["tooling"] == {"gitCommit": git.head_commit(team.root)}
    assert named["source"] == {"sha256": identity.source_digest.removeprefix("sha256:")}
    assert named["runtime"] == {"sha256": image(team, "tip@v1.0.0").runtime_digest.removeprefix("sha256:")}
    [page] = [one for one in found["runDetails"]["byproducts"] if one["name"].endswith(verdicts.file_name)]
    assert page["annotations"] == {"verdict": "pass"}


def test_the_pull_request_says_who_signed(released: Signing) -> None:
    """It is for its reader to know, before it is live."""
    pull = released.team.workplace.forge.pull(1)
    signer = image(released.team, "tip@v1.0.0").signed_by
    assert signer is not None
    assert f"| Signed | by the key `{signer}`" in pull.body


def test_built_again_it_is_signed_once(released: Signing) -> None:
    """A publishing job that is killed begins anew."""
    digest = image(released.team, "tip@v1.0.0").digest
    first = (released.signed(digest), released.signed(digest, "att"))

    code, said = command("build-image", "tip@v1.0.0")

    assert code == 0, said
    assert (released.signed(digest), released.signed(digest, "att")) == first


def test_a_signed_version_goes_live_and_an_unsigned_one_does_not(released: Signing) -> None:
    """By the command that the workflow calls, in both directions."""
    digest = image(released.team, "tip@v1.0.0").digest
    kept = released.signature_of(digest)
    away = kept.with_name("away")
    shutil.move(kept, away)

    code, said = command("verify-rollout", MODEL)

    assert code == 2
    assert f"tip@{digest[:19]} is not signed by ours.pub" in said
    assert "mend: put deploy/production/tip/kustomization.yaml back; or, if tip@v1.0.0 is yours, release it" in said
    assert not (released.team.workplace.state / "rollout" / ENVIRONMENT / MODEL / "live.json").exists()
    shutil.move(away, kept)
    assert command("verify-rollout", MODEL)[0] == 0


def test_released_again_what_was_not_signed_becomes_live(released: Signing) -> None:
    """The mend that the refusal names mends it."""
    digest = image(released.team, "tip@v1.0.0").digest
    shutil.rmtree(released.signature_of(digest))
    assert command("verify-rollout", MODEL)[0] == 2

    assert command("build-image", "tip@v1.0.0")[0] == 0

    assert command("verify-rollout", MODEL)[0] == 0


def test_a_silent_registry_is_an_error_of_the_rollout(released: Signing) -> None:
    """12 means run again; nothing is said of the version, and nothing goes back."""
    released.move_to("127.0.0.1:1")

    with stamina.set_testing(True, attempts=6, cap=True):  # it is asked as often, and nobody waits in between
        code, said = command("verify-rollout", MODEL)

    assert code == 12, said
    commit = released.team.workplace.forge.head("release/production/tip/v1.0.0")
    assert commit is not None
    assert deployed(released.team) == "v1.0.0"
    assert len(released.team.record("tip@v1.0.0").pages(Rollout)) == 1  # of `go_live` alone


def test_the_way_back_leads_to_signed_versions_alone(released: Signing) -> None:
    """By command, in both directions: who can write to the registry must not get live by a way back."""
    team = released.team
    team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    team.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    kept = released.signature_of(image(team, "tip@v1.0.0").digest)
    away = kept.with_name("away")
    shutil.move(kept, away)
    back = ("rollback", MODEL, "--environment", ENVIRONMENT, "--to", "v1.0.0", "--reason", "It is slow")

    code, said = command(*back)

    assert code == 2
    assert "is not signed by ours.pub" in said
    assert "mend: go back to another version" in said
    assert team.workplace.forge.open_pulls() == []
    shutil.move(away, kept)
    code, said = command(*back)
    assert code == 0, said
    [pull] = team.workplace.forge.open_pulls()
    team.workplace.forge.merge_pull(pull.number)
    assert deployed(team) == "v1.0.0"


def test_without_the_private_key_nothing_is_pushed(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that nobody could sign would wait in the registry under the release's name."""
    monkeypatch.chdir(signing.team.root)
    signing.team.up_to_verdicts(signing.team.tag("tip@v1.0.0", "Begin"))
    monkeypatch.delenv(KEY)

    code, said = command("build-image", "tip@v1.0.0")

    assert code == 2
    assert f"{KEY} is not set here" in said
    assert not signing.served.tags(f"{signing.prefix}/{MODEL}").exists()


def test_without_keys_a_release_is_as_it_was_and_says_so(corner: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing is for those who ask for it; the others must not believe that they have it."""
    monkeypatch.chdir(corner.team.root)
    corner.team.release(corner.team.tag("tip@v1.0.0", "Begin"))
    page = corner.team.workplace.history.page(ReleaseTag.parse("tip@v1.0.0"), Image)

    assert page is not None
    assert (page.body.signed_by, "key" in page.reads) == (None, False)
    assert not corner.signature_of(page.body.digest).exists()
    assert "| Signed | not signed: `slipway.yaml` names no `signing_keys`" in corner.team.workplace.forge.pull(1).body


def test_the_watch_does_not_go_back_to_what_is_not_signed(released: Signing) -> None:
    """Nobody is awake to be refused: production stays, and the issue says why."""
    team = released.team
    team.release(team.publish("tip@v2.0.0", Tip(bias=0.1), breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=date(2026, 4, 1))
    team.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=Tip(bias=0.1))
    shutil.rmtree(released.signature_of(image(team, "tip@v1.0.0").digest))
    until = date(2026, 4, 14)
    team.look(date(2026, 4, 7))
    team.look_only(until)

    page = revert_manifest.run(team.window(until), means=Means.COMMIT, workplace=team.workplace)
    filed = file_issue.run_on_window(team.window(until), forge=team.workplace.forge).body

    assert page is not None
    assert "is not signed by ours.pub" in page.body.no_way_back
    assert deployed(team) == "v2.0.0"
    assert filed.number is not None
    assert filed.title.endswith("and there is no way back")
    assert "**Next:** go back to another version: " in team.workplace.forge.issue(filed.number).body


def test_a_key_that_comes_later_signs_the_release_that_is_there(
    corner: Signing, ours: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else no team could begin to sign without giving up its way back."""
    monkeypatch.chdir(corner.team.root)
    corner.team.release(corner.team.tag("tip@v1.0.0", "Begin"))
    ours.give(monkeypatch)
    corner.use(ours=ours)

    assert command("build-image", "tip@v1.0.0")[0] == 0

    digests = {page.body.digest: page.body.signed_by for page in corner.team.record("tip@v1.0.0").pages(Image)}
    assert len(digests) == 1
    assert None not in digests.values()


@pytest.mark.parametrize("write", ["image-signature", "image-provenance"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_a_write_and_run_again_it_is_signed_once(
    side: str, write: str, corner: Signing, ours: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that is lost must cost a second run, and leave no second signature."""
    monkeypatch.chdir(corner.team.root)
    corner.team.release(corner.team.tag("tip@v1.0.0", "Begin"))
    ours.give(monkeypatch)
    corner.use(ours=ours)
    words = [str(Path(sys.executable).parent / "slipway"), "build-image", "tip@v1.0.0"]
    at = {**os.environ, "SLIPWAY_KILL_AT": f"{side}:{write}:1"}

    killed = subprocess.run(words, env=at, capture_output=True, check=False)
    again = subprocess.run(words, capture_output=True, text=True, check=False)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert again.returncode == 0, again.stderr
    digest = image(corner.team, "tip@v1.0.0").digest
    assert (len(corner.signed(digest)), len(corner.signed(digest, "att"))) == (1, 1)


def test_a_key_that_comes_later_signs_a_revision_too(
    corner: Signing, ours: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no git tag that a workflow could be given, so the refusal of its rollout names another command."""
    team = corner.team
    monkeypatch.chdir(team.root)
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    team.write("serving/mend.py", '"""Mend the server."""\n')
    team.commit("Mend the server")
    assert command("rebase", MODEL)[0] == 0
    ours.give(monkeypatch)
    corner.use(ours=ours)
    revision = ReleaseTag.parse("tip@v1.0.0_r2")
    assert "slipway build-image tip@v1.0.0_r2" in signatures.how_to_sign(revision, "sha256:0", workplace=team.workplace)

    code, said = command("build-image", str(revision))

    assert code == 0, said
    assert corner.signature_of(image(team, str(revision)).digest).exists()


@pytest.fixture(autouse=True)
def _no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login of whoever runs the tests is used."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
