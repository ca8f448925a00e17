"""What both homes of images promise, checked over a real registry and over a folder."""

from __future__ import annotations

import json
import threading

import pytest
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.manifests import DOCKER, OCI, Family
from slipway.adapters.registry.protocol import Registry, Repository
from slipway.errors import DigestMismatch, NoSuchImage, RegistryRefused, TagTaken, UnusableImage

CONTENT = bytes(range(256)) * 5000  # more than one chunk


def put(repository: Repository, content: bytes) -> str:
    """Store bytes as a blob."""
    digest = digest_of(content)
    repository.put_blob(digest, size=len(content), chunks=lambda: iter([content]))
    return digest


def read(repository: Repository, digest: str) -> bytes:
    """Read a blob whole."""
    with repository.blob(digest) as chunks:
        return b"".join(chunks)


def manifest_of(repository: Repository, config: bytes, *, family: Family = OCI) -> bytes:
    """Store the blobs of an image and return its manifest, in a spelling that a parser would change."""
    blobs = [(put(repository, content), len(content)) for content in (config, CONTENT)]
    types = (family.config, family.layer)
    described = [
        {"mediaType": kind, "digest": digest, "size": size} for kind, (digest, size) in zip(types, blobs, strict=True)
    ]
    document = {"schemaVersion": 2, "mediaType": family.manifest, "config": described[0], "layers": described[1:]}
    return json.dumps(document, indent=3).encode()


def test_a_blob_comes_back_as_it_was_put(registry: Registry) -> None:
    """Everything else stands on this."""
    repository = registry.repository("flight-delay")
    assert not repository.has(digest_of(CONTENT))

    digest = put(repository, CONTENT)

    assert repository.has(digest)
    assert read(repository, digest) == CONTENT


def test_an_empty_blob_is_a_blob(registry: Registry) -> None:
    """An empty README is a file too; a client that sends no body must still finish the upload."""
    repository = registry.repository("flight-delay")
    assert read(repository, put(repository, b"")) == b""


def test_a_blob_that_is_here_is_not_sent_again(registry: Registry) -> None:
    """A run after a kill must cost the missing bytes only."""
    repository = registry.repository("flight-delay")
    digest = put(repository, CONTENT)

    def never() -> None:
        raise AssertionError("the bytes were asked for")

    repository.put_blob(digest, size=len(CONTENT), chunks=never)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [CONTENT[:-1], CONTENT + b"x", b"x" + CONTENT[1:]], ids=["shorter", "longer", "another first byte"]
)
def test_bytes_that_are_not_of_the_digest_are_refused(registry: Registry, wrong: bytes) -> None:
    """A disk that lies must not become a release."""
    repository = registry.repository("flight-delay")
    digest = digest_of(CONTENT)

    with pytest.raises(DigestMismatch):
        repository.put_blob(digest, size=len(CONTENT), chunks=lambda: iter([wrong]))

    assert not repository.has(digest)


def test_a_blob_that_is_nowhere_is_named(registry: Registry) -> None:
    """`No such image` and `does not answer` lead to different mends."""
    with pytest.raises(NoSuchImage, match="sha256:"), registry.repository("flight-delay").blob(digest_of(b"?")):
        pass


def test_a_mounted_blob_is_there_without_being_sent(registry: Registry) -> None:
    """The runtime has hundreds of megabytes; a release must not move them."""
    digest = put(registry.repository("runtime"), CONTENT)
    source, target = registry.repository("runtime"), registry.repository("flight-delay")

    assert target.mount(digest, from_repository=source.name)

    assert read(target, digest) == CONTENT


def test_a_mount_that_cannot_be_is_no_error(registry: Registry) -> None:
    """Mounting is a hint: what was not taken over is sent."""
    target = registry.repository("flight-delay")

    assert not target.mount(digest_of(CONTENT), from_repository=registry.repository("nowhere").name)

    assert not target.has(digest_of(CONTENT))


@pytest.mark.parametrize("family", [OCI, DOCKER])
def test_a_manifest_comes_back_byte_for_byte(registry: Registry, family: Family) -> None:
    """A digest is of bytes: a manifest that was parsed and written again is another image."""
    repository = registry.repository("flight-delay")
    content = manifest_of(repository, b"{}", family=family)

    digest = repository.put_manifest(content, media_type=family.manifest, reference="v1.0.0")

    for reference in ("v1.0.0", digest):
        stored = repository.manifest(reference)
        assert (stored.content, stored.media_type, stored.digest) == (content, family.manifest, digest_of(content))


def test_a_manifest_can_be_put_under_its_digest_alone(registry: Registry) -> None:
    """A part of an image that nobody should find by name."""
    repository = registry.repository("flight-delay")
    content = manifest_of(repository, b"{}")

    digest = repository.put_manifest(content, media_type=OCI.manifest, reference=digest_of(content))

    assert repository.manifest(digest).content == content


def test_a_manifest_under_another_digest_is_refused(registry: Registry) -> None:
    """A caller that mixes up two images must hear it."""
    repository = registry.repository("flight-delay")
    content = manifest_of(repository, b"{}")
    with pytest.raises(DigestMismatch):
        repository.put_manifest(content, media_type=OCI.manifest, reference=digest_of(b"another"))


def test_the_same_manifest_again_changes_nothing(registry: Registry) -> None:
    """Running a step again is always allowed."""
    repository = registry.repository("flight-delay")
    content = manifest_of(repository, b"{}")

    digests = {repository.put_manifest(content, media_type=OCI.manifest, reference="v1.0.0") for _ in range(2)}

    assert digests == {digest_of(content)}


def test_a_tag_is_never_moved(registry: Registry) -> None:
    """Who pulled v1.0.0 yesterday must get the same today."""
    repository = registry.repository("flight-delay")
    first = manifest_of(repository, b"{}")
    repository.put_manifest(first, media_type=OCI.manifest, reference="v1.0.0")
    second = manifest_of(repository, b'{"other": true}')

    with pytest.raises(TagTaken, match="no tag is ever moved"):
        repository.put_manifest(second, media_type=OCI.manifest, reference="v1.0.0")

    assert repository.manifest("v1.0.0").content == first


def test_a_manifest_without_its_blobs_is_refused(registry: Registry) -> None:
    """An image that cannot be pulled must not get a name."""
    source, target = registry.repository("runtime"), registry.repository("flight-delay")
    content = manifest_of(source, b"{}")

    with pytest.raises(UnusableImage):
        target.put_manifest(content, media_type=OCI.manifest, reference="v1.0.0")

    with pytest.raises(NoSuchImage):
        target.manifest("v1.0.0")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"config": {"digest": "../x"}, "layers": []}'])
def test_bytes_that_are_no_manifest_are_refused(registry: Registry, content: bytes) -> None:
    """docker-registry answers `{}` with a crash of its own, which would read as `run again`."""
    with pytest.raises(UnusableImage, match="no image manifest"):
        registry.repository("flight-delay").put_manifest(content, media_type=OCI.manifest, reference="v1.0.0")


@pytest.mark.parametrize("reference", ["", "../../etc", "v1@x", "sha256:abc", "a/b", "x" * 200, "v1\n"])
def test_a_reference_that_is_none_is_refused_before_it_is_a_path(registry: Registry, reference: str) -> None:
    """Text from outside must reach neither the file system nor an address."""
    with pytest.raises(RegistryRefused):
        registry.repository("flight-delay").manifest(reference)


@pytest.mark.parametrize("name", ["", "../up", "Flight", "a//b", "/a", "a/", "a b", "x" * 300])
def test_a_repository_that_is_none_is_refused(registry: Registry, name: str) -> None:
    """A name that one registry takes and the next refuses would hold a team fast."""
    with pytest.raises(RegistryRefused):
        registry.repository(name)


def test_eight_writers_at_once_lose_no_tag(registry: Registry) -> None:
    """Two releases of one model may run beside each other; an index that is read, changed and written loses one."""
    repository = registry.repository("flight-delay")
    contents = {f"v1.{n}.0": manifest_of(repository, f'{{"n": {n}}}'.encode()) for n in range(8)}

    def write(tag: str) -> None:
        registry.repository("flight-delay").put_manifest(contents[tag], media_type=OCI.manifest, reference=tag)

    threads = [threading.Thread(target=write, args=[tag]) for tag in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {tag: repository.manifest(tag).content for tag in contents} == contents
