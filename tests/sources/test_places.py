"""Each kind of place on loopback, as a release asks it: Swift, emulators of Google's and Azure's, a registry, a hub.

Of these the hub alone is an imitation of ours, and the registry and Swift are what runs in production.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import SourceRefused, Unreachable

from tests.object_stores.stores import GoogleStorage, Swift
from tests.sources.conftest import Fetch
from tests.sources.places import Azure, HuggingFace, OfARegistry, OfAStore, Place, Web
from tests.sources.web import Doorkeeper

pytestmark = pytest.mark.xdist_group("places of sources")
FILES = {"model.ubj": b"\x00\xffnumbers" * 100, "parts/one.bin": b"one"}
ASK_FOR_CREDENTIALS = ("s3", "az", "hf")  # the emulator of Google's store looks at none


def _files_for(place: Place) -> dict[str, bytes]:
    """An https address is one file."""
    return {"model.ubj": FILES["model.ubj"]} if place.scheme == "https" else FILES


def test_all_files_come_under_their_names(place: Place, fetch: Fetch) -> None:
    """What is converted later is what lies there: no file more, no file less, no byte changed."""
    found, fetched = fetch(place.put(_files_for(place)), place.environment())

    assert fetched == _files_for(place)
    assert found.resolved.startswith(f"{place.scheme}://")


def test_what_is_not_there_is_told_by_its_address(place: Place, fetch: Fetch) -> None:
    """A misspelt bucket is the commonest mistake; it must not look like an outage that goes away."""
    with pytest.raises(SourceRefused) as caught:
        fetch(place.nothing, place.environment())

    assert "nothing" in caught.value.problem and "is not there" in caught.value.problem


@pytest.mark.parametrize("scheme", ASK_FOR_CREDENTIALS)
def test_a_stranger_gets_nothing_and_his_credentials_are_not_repeated(
    places: dict[str, Place], fetch: Fetch, scheme: str
) -> None:
    """Logs of a public repository are read by everybody."""
    place = places[scheme]
    address = place.put(FILES)
    with pytest.raises(SourceRefused) as caught:
        fetch(address, place.of_a_stranger())

    assert "SLIPWAY_SOURCE_ENVIRONMENT" in caught.value.mend
    assert not any(
        value in str(caught.value) for name, value in place.of_a_stranger().items() if "ENDPOINT" not in name
    )


def test_more_bytes_than_the_limit_are_refused(place: Place, fetch: Fetch) -> None:
    """A file without an end fills the runner's disk, and takes every other release with it."""
    with pytest.raises(SourceRefused, match="more than 300 bytes"):
        fetch(place.put(_files_for(place)), place.environment(), bytes=300)


@pytest.mark.parametrize("scheme", ["s3", "hf", "oci"])
def test_more_files_than_the_limit_are_refused(places: dict[str, Place], fetch: Fetch, scheme: str) -> None:
    """An address that names the whole bucket by mistake."""
    with pytest.raises(SourceRefused, match="more than 1 files"):
        fetch(places[scheme].put(FILES), places[scheme].environment(), files=1)


@pytest.mark.parametrize("scheme", ["https", "s3", "gs", "az", "hf", "oci"])
def test_a_place_that_is_gone_can_be_asked_again(
    places: dict[str, Place], fetch: Fetch, tmp_path: Path, scheme: str
) -> None:
    """An outage is no fault of a model: exit code 12 says that the same command may work later."""
    place = _mortal(scheme, tmp_path)
    address = place.put(_files_for(place)) if scheme != "oci" else "oci://127.0.0.1:1/sources/fraud:v1"
    environment = place.environment()
    place.stop()

    with pytest.raises(Unreachable) as caught:
        fetch(address, environment, seconds=8)

    assert caught.value.exit_code == 12


@pytest.mark.parametrize(("named", "shown"), [(False, False), (True, True)])
def test_a_registry_sees_credentials_where_it_is_named_as_theirs(named: bool, shown: bool, fetch: Fetch) -> None:
    """Who may push a branch writes the address: another registry than the team's would be shown its password."""
    door = Doorkeeper()
    address = f"127.0.0.1:{door.port}"
    login = {"SLIPWAY_REGISTRY_USER": "ada", "SLIPWAY_REGISTRY_PASSWORD": "swordfish"}
    with pytest.raises(SourceRefused, match="is not given to us") as caught:
        fetch(f"oci://{address}/sources/fraud:v1", {**login, **({"SLIPWAY_REGISTRY_HOST": address} if named else {})})
    door.stop()

    assert any(came != "nobody" for came in door.asked) == shown
    assert "SLIPWAY_REGISTRY_HOST" in caught.value.mend


def test_a_tag_may_stand_before_the_digest_of_an_artifact(places: dict[str, Place], fetch: Fetch) -> None:
    """Tools write both, so that a person reads the one and a machine the other."""
    address = places["oci"].put(FILES)
    host, _, name = address.removeprefix("oci://").removesuffix(":latest").partition("/")
    digest = RemoteRegistry(host, "", credentials=None).repository(name).manifest("latest").digest

    found, fetched = fetch(f"{address}@{digest}", {})

    assert (found.resolved, fetched) == (f"oci://{host}/{name}@{digest}", FILES)


def _mortal(scheme: str, folder: Path) -> Place:
    if scheme == "https":
        return Web(folder)
    if scheme == "az":
        return Azure(folder)
    if scheme == "hf":
        return HuggingFace()
    if scheme == "oci":
        return OfARegistry("127.0.0.1:1")
    return OfAStore(Swift(folder) if scheme == "s3" else GoogleStorage(folder))
