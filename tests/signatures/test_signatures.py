"""An image is good when a key of the default branch signed exactly this digest, and says so where it is not."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
import stamina
from slipway.adapters import signatures
from slipway.adapters.signatures.cosign import KEY, PASSWORD
from slipway.errors import BadFile, CannotSign, NoSuchImage, NotSigned, Unreachable

from tests.signatures.conftest import Pair, Signing
from tests.team import MODEL

_MEND = "release it again"
_PREDICATE = {
    "buildDefinition": {"buildType": "urn:example", "externalParameters": {"tag": "tip@v1.0.0"}},
    "runDetails": {"builder": {"id": "urn:example"}, "metadata": {}},
}


def sign(signing: Signing, digest: str) -> None:
    workplace = signing.team.workplace
    key = signatures.signing_key(workplace)
    assert key is not None
    signatures.sign(MODEL, digest, key=key, workplace=workplace)
    signatures.attest(MODEL, digest, key=key, predicate=_PREDICATE, workplace=workplace)


def verify(signing: Signing, digest: str) -> None:
    signatures.verify(MODEL, digest, workplace=signing.team.workplace, mend=_MEND)


def refused(signing: Signing, digest: str) -> str:
    with pytest.raises(NotSigned) as caught:
        verify(signing, digest)
    assert caught.value.mend == _MEND
    return caught.value.problem


def without_cosign(signing: Signing) -> str:
    """A PATH that holds git alone."""
    folder = signing.team.root.with_name("programs")
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or "")
    return str(folder)


def test_what_was_signed_verifies_and_what_was_not_is_refused(signing: Signing) -> None:
    """Both ways, or a check that lets everything through would look as well."""
    signed, other = signing.push(), signing.push('{"other": 1}')
    sign(signing, signed)

    verify(signing, signed)
    assert refused(signing, other) == f"tip@{other[:19]} is not signed by ours.pub"


def test_another_key_is_refused(signing: Signing, theirs: Pair) -> None:
    """Who can write to the registry can sign there, too, but not with the team's key."""
    digest = signing.push()
    sign(signing, digest)

    signing.use(theirs=theirs)

    assert refused(signing, digest) == f"tip@{digest[:19]} is not signed by theirs.pub"


def test_after_a_rotation_old_signatures_are_good_and_the_new_key_signs(
    signing: Signing, theirs: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way back leads to images of years ago."""
    old, new = signing.push(), signing.push('{"new": 1}')
    sign(signing, old)
    signing.use(theirs=theirs, ours=Pair("", (signing.team.root / "ours.pub").read_text()))
    theirs.give(monkeypatch)
    sign(signing, new)

    verify(signing, old)
    verify(signing, new)
    signing.use(theirs=theirs)
    verify(signing, new)
    assert "is not signed by theirs.pub" in refused(signing, old)


def test_signed_twice_it_has_one_signature_and_one_attestation(signing: Signing) -> None:
    """A run that was killed is run again, and each run more must not leave one more."""
    digest = signing.push()
    sign(signing, digest)
    first = (signing.signed(digest), signing.signed(digest, "att"))

    sign(signing, digest)

    assert (signing.signed(digest), signing.signed(digest, "att")) == first
    assert [len(kind) for kind in first] == [1, 1]


def test_a_run_that_was_killed_before_it_attested_goes_on_where_it_was(signing: Signing) -> None:
    """The signature stands, and only what is missing is written."""
    digest = signing.push()
    sign(signing, digest)
    first = signing.signed(digest)
    shutil.rmtree(signing.signature_of(digest, "att"))

    sign(signing, digest)

    assert (signing.signed(digest), len(signing.signed(digest, "att"))) == (first, 1)


def test_a_signature_that_was_taken_away_is_refused(signing: Signing) -> None:
    """As when a registry was copied without its signatures."""
    digest = signing.push()
    sign(signing, digest)
    shutil.rmtree(signing.signature_of(digest))

    assert refused(signing, digest) == f"tip@{digest[:19]} is not signed by ours.pub"


def test_a_signature_of_another_image_is_refused(signing: Signing) -> None:
    """It is a good signature of the team, put beside an image that nobody released."""
    signed, other = signing.push(), signing.push('{"other": 1}')
    sign(signing, signed)
    shutil.copytree(signing.signature_of(signed), signing.signature_of(other))

    assert refused(signing, other) == f"tip@{other[:19]} is not signed by ours.pub"


def test_an_altered_signature_is_refused_and_not_taken_for_silence(signing: Signing) -> None:
    """It does not come back by another try, so `run again` would be the wrong advice."""
    digest = signing.push()
    sign(signing, digest)
    [payload] = signing.signed(digest)
    signing.served.blob(payload).write_text('{"critical": {}}')

    assert f"tip@{digest[:19]} is not signed by ours.pub" in refused(signing, digest)


def test_a_registry_that_is_down_is_an_error_and_no_missing_signature(signing: Signing) -> None:
    """What could not be looked at must neither pass nor send anything back."""
    digest = signing.push()
    sign(signing, digest)
    signing.move_to("127.0.0.1:1")

    with stamina.set_testing(True, attempts=6, cap=True), pytest.raises(Unreachable):  # asked as often, at once
        verify(signing, digest)


def test_an_image_that_is_gone_is_told_as_such(signing: Signing) -> None:
    """`Not signed` would send its reader to the keys."""
    with pytest.raises(NoSuchImage):
        verify(signing, f"sha256:{'0' * 64}")


def test_without_keys_nothing_is_asked(corner: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team that signs nothing has no cosign, and its registry is asked nothing more."""
    monkeypatch.setenv("PATH", without_cosign(corner))
    corner.move_to("127.0.0.1:1")

    verify(corner, f"sha256:{'0' * 64}")
    assert signatures.signing_key(corner.team.workplace) is None


def test_a_private_key_of_another_pair_signs_nothing(
    signing: Signing, theirs: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out at the rollout, the release would have to be made again."""
    theirs.give(monkeypatch)
    with pytest.raises(CannotSign, match=r"is not the pair of ours\.pub, the first of signing_keys"):
        signatures.signing_key(signing.team.workplace)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [(KEY, "", "is not set here"), (PASSWORD, "wrong", "cannot read the key")],
)
def test_what_keeps_from_signing_is_told_before_anything_is_pushed(
    signing: Signing, monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    """Each has a mend of its own, and none is a traceback."""
    monkeypatch.setenv(name, value)
    with pytest.raises(CannotSign, match=problem):
        signatures.signing_key(signing.team.workplace)


def test_without_cosign_nobody_signs_and_nobody_verifies(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot be made is not passed."""
    digest = signing.push()
    sign(signing, digest)
    monkeypatch.setenv("PATH", without_cosign(signing))

    for ask in (sign, verify):
        with pytest.raises(CannotSign, match="cosign is not here"):
            ask(signing, digest)


def test_the_keys_are_those_of_the_default_branch(signing: Signing, theirs: Pair) -> None:
    """A checkout with another key in the file would say yes to what its owner signed."""
    digest = signing.push()
    sign(signing, digest)
    signing.team.write("ours.pub", theirs.public)

    verify(signing, digest)


@pytest.mark.parametrize("named", ["[]", '["theirs.pub"]'])
def test_a_checkout_that_names_other_keys_is_not_believed(named: str, signing: Signing, theirs: Pair) -> None:
    """Else whoever edits one line on a laptop goes back to an image that nobody signed."""
    signing.team.write("theirs.pub", theirs.public)
    signing.team.edit("slipway.yaml", '["ours.pub"]', named)
    with pytest.raises(NotSigned, match=r"is not signed by ours\.pub"):
        verify(signing, signing.push())


def test_a_key_that_the_default_branch_lacks_is_named(signing: Signing) -> None:
    """A typing error must not turn the check off."""
    signing.team.edit("slipway.yaml", "ours.pub", "typo.pub")
    signing.team.commit("Mistype")
    with pytest.raises(BadFile, match=r"typo.pub, which slipway.yaml names among signing_keys, does not exist on main"):
        verify(signing, signing.push())


def test_nobody_who_lists_processes_sees_the_key(signing: Signing, ours: Pair) -> None:
    """Command lines are shown to every user of a machine, and runners print them."""
    digest, lines, done = signing.push(), set[str](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    told = line.read_bytes()
                except OSError:
                    continue
                if told.startswith(b"cosign\0"):
                    lines.add(told.decode())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    sign(signing, digest)
    done.set()
    watcher.join()

    assert any("\0sign\0" in line for line in lines)
    secrets = (ours.password, *(line for line in ours.private.splitlines() if "-----" not in line))
    assert not [line for line in lines if any(secret in line for secret in secrets)]
    assert KEY in os.environ  # it was there to be leaked


def test_a_dry_run_signs_nothing_and_needs_no_private_key(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """It only tells."""
    from slipway.adapters.dry_run import dry

    monkeypatch.delenv(KEY)
    workplace, digest = dry(signing.team.workplace), signing.push()
    key = signatures.signing_key(workplace)
    assert key is not None

    signatures.sign(MODEL, digest, key=key, workplace=workplace)
    signatures.attest(MODEL, digest, key=key, predicate=_PREDICATE, workplace=workplace)

    assert not signing.signature_of(digest).exists()
