"""A registry that fails in the middle of a release: nothing half-sent gets a name, and running again ends the same.

Each fault happens on the line to a real registry, at a byte that is named.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from slipway.adapters.registry.append import Base
from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.layer import Layer, model_layer
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.manifests import Image
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import NoSuchImage, RegistryRefused, SlipwayError, Unreachable

from tests.unit.adapters.registry.gatekeeper import USER, gatekeeper
from tests.unit.adapters.registry.line import Deed, Line, answer, cut, fall_silent, line
from tests.unit.adapters.registry.releases import HASTY, LAYER, WEIGHTS, release, with_base

ONCE = HASTY._replace(attempts=1, silence=0.3)
MIDDLE = LAYER.size // 2
SHARES = tuple(number / 16 for number in range(16))  # of all bytes of a release; most are of its layer


class Undisturbed(NamedTuple):
    """What a release is, and what it takes, where nothing happens."""

    digest: str
    sent: int
    answered: int


@pytest.fixture(scope="session")
def undisturbed(registry_host: str) -> Undisturbed:
    with line(registry_host) as quiet:
        digest = release(through(quiet, "undisturbed"), prepared(registry_host, quiet, "undisturbed"))
    return Undisturbed(digest, quiet.sent, quiet.answered)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Repositories that no other test uses."""
    return f"{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower()).strip('-')}/{os.getpid()}"


def prepared(host: str, laid: Line, prefix: str) -> Base:
    """A runtime in the registry, as it is seen through a line."""
    return Base(through(laid, prefix), "runtime", with_base(RemoteRegistry(host, prefix)).reference)


def through(laid: Line, prefix: str, *, hasty: bool = True) -> RemoteRegistry:
    return RemoteRegistry(laid.address, prefix, patience=HASTY if hasty else ONCE)


def attempt(host: str, prefix: str, **faults: object) -> None:
    """One release, without a second try, over a line that fails."""
    with line(host) as laid:
        base = prepared(host, laid, prefix)
        for name, value in faults.items():
            setattr(laid, name, value)
        with suppress(Unreachable):  # a cut after the last byte that matters disturbs nobody
            release(through(laid, prefix, hasty=False), base)


def finish(host: str, prefix: str) -> tuple[str, Line]:
    """The same release once more, over a line that works."""
    with line(host) as laid:
        return release(through(laid, prefix), prepared(host, laid, prefix)), laid


def assert_nothing_half_has_a_name(host: str, prefix: str, digest: str) -> None:
    repository = RemoteRegistry(host, prefix).repository("flight-delay")
    try:
        image = Image.read(repository, "v1.0.0")
    except NoSuchImage:
        return
    assert image.digest == digest
    for blob in (image.config_descriptor, *image.layers):
        with repository.blob(blob.digest) as chunks:
            assert sum(map(len, chunks)) == blob.size  # its bytes are verified while they are read


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("way", ["outward", "homeward"])
def test_a_line_that_is_cut_at_any_byte_costs_a_second_run_and_nothing_else(
    share: float, way: str, registry_host: str, prefix: str, undisturbed: Undisturbed
) -> None:
    """Networks fail in the middle; what arrived whole is not sent twice."""
    whole = undisturbed.sent if way == "outward" else undisturbed.answered
    attempt(registry_host, prefix, **{way: int(share * whole)})
    assert_nothing_half_has_a_name(registry_host, prefix, undisturbed.digest)
    layer_is_there = RemoteRegistry(registry_host, prefix).repository("flight-delay").has(LAYER.digest)

    digest, laid = finish(registry_host, prefix)

    assert digest == undisturbed.digest
    assert (laid.sent < 20_000) == layer_is_there


RELEASE = """
import sys
from slipway.adapters.registry.remote import RemoteRegistry
from tests.unit.adapters.registry.releases import Base, release
address, prefix = sys.argv[1:]
sys.stdin.readline()  # until the line knows whom to kill
home = RemoteRegistry(address, prefix)
release(home, Base(home, "runtime", "v1"))
"""


@pytest.mark.parametrize("share", SHARES[::2])
def test_a_client_that_is_killed_at_any_byte_leaves_nothing_in_the_way(
    share: float, registry_host: str, prefix: str, undisturbed: Undisturbed
) -> None:
    """A runner is taken away without a word."""
    with line(registry_host) as laid:
        prepared(registry_host, laid, prefix)
        command = [sys.executable, "-c", RELEASE, laid.address, prefix]
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment()) as client:
            laid.outward, laid.deed = int(share * undisturbed.sent), killer_of(client)
            client.communicate(b"go\n")
    assert client.returncode == -signal.SIGKILL
    assert_nothing_half_has_a_name(registry_host, prefix, undisturbed.digest)
    assert finish(registry_host, prefix)[0] == undisturbed.digest


def killer_of(client: subprocess.Popen[bytes]) -> Deed:
    return lambda _: client.send_signal(signal.SIGKILL)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.mark.parametrize(
    "deed",
    [
        answer("500 Internal Server Error"),
        answer("502 Bad Gateway"),
        answer("429 Too Many Requests", "Retry-After: 0"),
        answer("503 Service Unavailable", "Retry-After: 0"),
        cut,
    ],
    ids=["500", "502", "429", "503", "cut"],
)
def test_a_failure_in_the_middle_of_an_upload_is_tried_again_by_itself(
    deed: Deed, registry_host: str, prefix: str, undisturbed: Undisturbed
) -> None:
    """Nobody should have to start a release twice for one bad second."""
    with line(registry_host, deed=deed) as laid:
        base = prepared(registry_host, laid, prefix)
        laid.outward = MIDDLE
        assert release(through(laid, prefix), base) == undisturbed.digest
    uploads = [request for request in laid.requests if request.startswith("PUT") and LAYER.digest[7:] in request]
    assert len(uploads) == 2


def test_a_registry_that_falls_silent_is_left_and_asked_again(
    registry_host: str, prefix: str, undisturbed: Undisturbed
) -> None:
    """A connection that hangs looks like one that is slow; a release must not wait for it until the job is ended."""
    with line(registry_host, deed=fall_silent) as laid:
        base = prepared(registry_host, laid, prefix)
        laid.outward = MIDDLE
        hurried = RemoteRegistry(laid.address, prefix, patience=HASTY._replace(silence=0.3))
        assert release(hurried, base) == undisturbed.digest


def test_a_refusal_in_the_middle_of_an_upload_is_told_at_once(registry_host: str, prefix: str) -> None:
    """A layer above the registry's limit is refused each time; sending it six times would only cost the wait."""
    with line(registry_host, deed=answer("413 Content Too Large")) as laid:
        base = prepared(registry_host, laid, prefix)
        laid.outward = MIDDLE
        with pytest.raises(RegistryRefused, match="HTTP 413 UNKNOWN unknown error"):
            release(through(laid, prefix), base)
        assert laid.sent <= MIDDLE


def test_an_upload_whose_answer_is_lost_is_not_sent_again(registry_host: str, prefix: str) -> None:
    """The registry has it all, and says so when it is asked."""
    with line(registry_host) as laid:
        repository = through(laid, prefix).repository("flight-delay")

        def chunks() -> object:
            yield from LAYER.open()
            laid.homeward = laid.answered  # nothing comes back any more, for once

        repository.put_blob(LAYER.digest, size=LAYER.size, chunks=chunks)  # type: ignore[arg-type]
    assert len([request for request in laid.requests if request.startswith("PUT")]) == 1


Fault = Callable[[str, str], None]


def _down(host: str, prefix: str) -> None:
    with line(host) as laid:
        pass
    release(through(laid, prefix), Base(through(laid, prefix), "runtime", "v1"))


def _on_the_line(deed: Deed) -> Fault:
    def fault(host: str, prefix: str) -> None:
        with line(host, deed=deed) as laid:
            base = prepared(host, laid, prefix)
            laid.outward = MIDDLE
            release(through(laid, prefix, hasty=False), base)

    return fault


def _at_the_gate(*answers: tuple[int, str], **demands: object) -> Fault:
    def fault(host: str, prefix: str) -> None:
        with gatekeeper(host, faults=list(answers) * HASTY.attempts, **demands) as keeper:
            credentials = Credentials(USER, "wrong") if keeper.scheme else None
            registry = RemoteRegistry(keeper.address, prefix, credentials=credentials, patience=HASTY)
            release(registry, Base(registry, "runtime", "v1"))

    return fault


class Told(NamedTuple):
    """A failure, and what must be said of it."""

    fault: Fault
    error: type[SlipwayError]
    happened: str
    mend: str


FAILURES = {
    "down": Told(_down, Unreachable, "did not answer: ConnectionRefusedError", "run the same command again"),
    "cut": Told(_on_the_line(cut), Unreachable, "did not answer: (Remote|Connection|Broken)", "look at the network"),
    "silent": Told(_on_the_line(fall_silent), Unreachable, "did not answer: TimeoutError", "look at the network"),
    "500": Told(_on_the_line(answer("500 No")), Unreachable, "answers only HTTP 500 UNKNOWN", "status page"),
    "429": Told(
        _at_the_gate((429, "0"), scheme=""), Unreachable, "answers only HTTP 429", "run the same command again"
    ),
    "401": Told(_at_the_gate(scheme="basic"), RegistryRefused, "refuses `robot`: GET .*HTTP 401", "docker login"),
    "403": Told(_at_the_gate((403, ""), scheme=""), RegistryRefused, "refuses nobody .*HTTP 403", "docker login"),
}


@pytest.mark.parametrize("told", FAILURES.values(), ids=FAILURES)
def test_every_failure_names_the_registry_what_happened_and_what_mends_it(
    told: Told, registry_host: str, prefix: str
) -> None:
    """Whoever reads it at night has nothing else."""
    with pytest.raises(told.error, match=told.happened) as caught:
        told.fault(registry_host, prefix)
    assert re.search(r"the registry 127\.0\.0\.1:\d+ ", caught.value.problem)
    assert told.mend in caught.value.mend
    assert_nothing_half_has_a_name(registry_host, prefix, "")


def test_a_model_of_a_megabyte_sends_a_megabyte_and_the_same_again_nothing(registry_host: str, prefix: str) -> None:
    """What a release costs on the line: the layer, and little more than a page of text."""
    with line(registry_host) as laid:
        base = prepared(registry_host, laid, prefix)
        release(through(laid, prefix), base, layer=layer_of(WEIGHTS[:1_000_000]))
        before = laid.sent
        changed = layer_of(WEIGHTS[1:1_000_001])
        digest = release(through(laid, prefix), base, layer=changed, tag="v1.0.1")
        sent = laid.sent - before
        assert changed.size < sent < 1_100_000

        laid.requests.clear()
        assert release(through(laid, prefix), base, layer=changed, tag="v1.0.1") == digest
        assert laid.sent - before - sent < 10_000
    assert {request.split()[0] for request in laid.requests} <= {"GET", "HEAD"}


def layer_of(model: bytes) -> Layer:
    return model_layer({"model.onnx": model, "identity.json": b"{}"})


FULL = """
import resource, signal, sys
from pathlib import Path
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.errors import SlipwayError
from tests.unit.adapters.registry.releases import Base, release
folder, largest, signalled = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGXFSZ, signal.SIG_DFL if signalled == "killed" else signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
home = LayoutRegistry(folder)
try:
    release(home, Base(home, "runtime", "v1"))
except SlipwayError as error:
    sys.exit(f"{error.exit_code} {error}")
"""


@pytest.mark.parametrize("ending", ["killed", "told"])
@pytest.mark.parametrize("largest", [10, 700, 1 << 20, LAYER.size - 1])
def test_a_folder_that_takes_no_more_bytes_goes_on_when_there_is_room(
    largest: int, ending: str, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """The system ends the write at a byte, and in one case the writer with it: no file is taken for a whole one."""
    home = LayoutRegistry(tmp_path)
    base = with_base(home)
    command = [sys.executable, "-c", FULL, str(tmp_path), str(largest), ending]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)

    if ending == "killed":
        assert done.returncode == -signal.SIGXFSZ
    else:
        assert re.search(rf"2 {tmp_path}/flight-delay takes no more: File too large\n  mend: make room", done.stderr)
        assert not (tmp_path / "flight-delay" / ".partial").exists()
    with pytest.raises(NoSuchImage):
        home.repository("flight-delay").manifest("v1.0.0")
    assert release(home, base) == undisturbed.digest
