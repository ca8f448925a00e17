"""Files in a repository that stand for others: Git LFS with a remote of this machine, DVC with one of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.processes.pinned import environment_for
from slipway.errors import BadFile, SourceRefused, Unreachable
from slipway.steps import fetch_source, resolve_tag

from tests.sources.places import ROOT
from tests.sources.web import FolderServer, LfsServer
from tests.team import MODEL, Team, new_team
from tests.tip import TIP

TAG = "tip@v1.0.0"
WEIGHTS = TIP.as_json().encode()


@pytest.fixture
def team(tmp_path: Path) -> Team:
    team = new_team(tmp_path)
    shutil.copyfile(ROOT / "requirements" / "dvc.txt", team.root / "requirements" / "dvc.txt")
    team.write_model()
    return team


def _lfs(team: Team, *arguments: str) -> None:
    subprocess.run(["git", "lfs", *arguments], cwd=team.root, check=True, capture_output=True)


@pytest.fixture
def in_lfs(team: Team) -> Team:
    """The weights are a pointer in the commit, and their bytes where `git lfs push` puts them."""
    git.run("remote", "set-url", "origin", f"file://{team.bare}", cwd=team.root)
    _lfs(team, "install", "--local")
    _lfs(team, "track", f"models/{MODEL}/source/*.json")
    team.commit("Track the weights")
    _lfs(team, "push", "--all", "origin")  # what its hook does, and our git asks no hooks
    team.tag(TAG)
    return team


def _elsewhere(team: Team) -> Team:
    """A checkout of somebody who has git-lfs and did not ask it for anything, as a runner's is."""
    other = Team(team.root.with_name("elsewhere"), team.bare)
    variables = {"GIT_LFS_SKIP_SMUDGE": "1"}
    git.run("clone", "--quiet", f"file://{team.bare}", str(other.root), cwd=team.bare, environment=variables)
    return other


def _released_source(team: Team) -> bytes:
    page = fetch_source.run(TAG, workplace=team.workplace)
    assert page is not None
    assert resolve_tag.run(TAG, workplace=team.workplace).body.origin == page.body.origin
    (file,) = (one for one in page.body.origin.files if one.path == "weights.json")
    return team.record(TAG).path(file).read_bytes()


def test_what_a_pointer_of_git_lfs_stands_for_is_released(in_lfs: Team) -> None:
    """A converter that was given three lines of text would say that the model is broken."""
    elsewhere = _elsewhere(in_lfs)
    assert (elsewhere.folder / "source" / "weights.json").read_bytes().startswith(b"version https://git-lfs")

    assert _released_source(elsewhere) == WEIGHTS


def test_a_pointer_whose_file_was_never_pushed_is_told_with_the_command(in_lfs: Team) -> None:
    """It works on the one machine that has the file, and on no other."""
    elsewhere = _elsewhere(in_lfs)
    shutil.rmtree(in_lfs.bare / "lfs")

    with pytest.raises(SourceRefused, match=r"gives no file for source/weights\.json") as caught:
        fetch_source.run(TAG, workplace=elsewhere.workplace)

    assert "git lfs push --all origin" in caught.value.mend


@pytest.mark.parametrize("size", [len(WEIGHTS) - 1, len(WEIGHTS) + 1, 0])
def test_a_pointer_whose_size_lies_is_told_by_file_and_field(in_lfs: Team, size: int) -> None:
    """Whoever merged two pointers by hand is looking for an outage else."""
    _lie(in_lfs, f"size {len(WEIGHTS)}", f"size {size}")

    with pytest.raises(SourceRefused) as caught:
        fetch_source.run("tip@v1.0.1", workplace=_elsewhere(in_lfs).workplace)

    assert caught.value.exit_code == 2
    assert "source/weights.json" in caught.value.problem and f"`size {size}`" in caught.value.problem
    assert "git add --renormalize" in caught.value.mend


def test_a_pointer_whose_digest_lies_is_told_by_file_and_field(in_lfs: Team) -> None:
    """It names what nobody ever pushed."""
    _lie(in_lfs, hashlib.sha256(WEIGHTS).hexdigest(), "0" * 64)

    with pytest.raises(SourceRefused) as caught:
        fetch_source.run("tip@v1.0.1", workplace=_elsewhere(in_lfs).workplace)

    assert caught.value.exit_code == 2
    assert "source/weights.json" in caught.value.problem and f"`oid sha256:{'0' * 64}`" in caught.value.problem


def _lie(team: Team, true: str, lie: str) -> None:
    """A pointer by hand goes into the commit as it is: git-lfs takes a pointer for one."""
    pointer = git.run("show", f"HEAD:models/{MODEL}/source/weights.json", cwd=team.root).decode()
    team.write(f"models/{MODEL}/source/weights.json", pointer.replace(true, lie).strip() + "\n")
    team.commit("Write the pointer by hand")
    team.tag("tip@v1.0.1")


@pytest.fixture
def lfs_server() -> Iterator[LfsServer]:
    server = LfsServer()
    yield server
    server.stop()


def _asks(team: Team, server: LfsServer) -> Team:
    elsewhere = _elsewhere(team)
    git.run("config", "lfs.url", f"http://127.0.0.1:{server.port}", cwd=elsewhere.root)
    git.run("config", "lfs.transfer.maxRetries", "1", cwd=elsewhere.root)
    return elsewhere


def test_a_server_that_looks_at_no_size_does_not_hide_the_lie(in_lfs: Team, lfs_server: LfsServer) -> None:
    """The limit was held against the pointer's size; git-lfs itself does not look at it when bytes have come."""
    lfs_server.files["/object"] = WEIGHTS
    _lie(in_lfs, f"size {len(WEIGHTS)}", "size 7")

    with pytest.raises(SourceRefused, match=r"source/weights\.json, .*`size 7`: `size` is not true"):
        fetch_source.run("tip@v1.0.1", workplace=_asks(in_lfs, lfs_server).workplace)


def test_other_bytes_than_the_pointer_says_are_refused(in_lfs: Team, lfs_server: LfsServer) -> None:
    """Whoever writes to the store must not be able to change a model."""
    lfs_server.files["/object"] = WEIGHTS[::-1]

    with pytest.raises(SourceRefused, match=r"source/weights\.json"):
        fetch_source.run(TAG, workplace=_asks(in_lfs, lfs_server).workplace)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_of_git_lfs_that_fails_can_be_asked_again(in_lfs: Team, lfs_server: LfsServer, status: int) -> None:
    """An outage is no fault of the pointer's."""
    lfs_server.status = status

    with pytest.raises(Unreachable, match=r"source/weights\.json could not be had"):
        fetch_source.run(TAG, workplace=_asks(in_lfs, lfs_server).workplace)


def test_an_object_of_git_lfs_without_an_end_is_stopped_at_the_limit(in_lfs: Team, lfs_server: LfsServer) -> None:
    """git-lfs writes it into its own storage first, which would fill the disk while nobody looks there."""
    elsewhere = _asks(in_lfs, lfs_server)
    elsewhere.edit("policies/sources.yaml", "{pickle: false}", "{fetched: {bytes: 2000000, seconds: 60}}")

    with pytest.raises(SourceRefused, match="more than 2,000,000 bytes"):
        fetch_source.run(TAG, workplace=elsewhere.workplace)


def test_without_git_lfs_its_package_is_named(in_lfs: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner of a team's own may lack it."""
    elsewhere = _elsewhere(in_lfs)
    for name in ("git", "tar"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(BadFile, match="git-lfs is not installed") as caught:
        fetch_source.run(TAG, workplace=elsewhere.workplace)

    assert "apt-get install git-lfs" in caught.value.mend


def _dvc(team: Team, *arguments: str) -> None:
    python = environment_for("dvc", requirements=ROOT / "requirements" / "dvc.txt")
    variables = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run(
        [str(python), "-m", "dvc", *arguments], cwd=team.root, env=variables, check=True, capture_output=True
    )


@pytest.fixture
def in_dvc(team: Team, tmp_path: Path) -> Team:
    """All of source/ is tracked by DVC, and pushed to a remote."""
    git.run("rm", "--quiet", "-r", "--cached", f"models/{MODEL}/source", cwd=team.root)
    _dvc(team, "init", "--quiet")
    _dvc(team, "remote", "add", "--default", "store", str(tmp_path / "store"))
    _dvc(team, "add", "--quiet", f"models/{MODEL}/source")
    _dvc(team, "push", "--quiet")
    team.commit("Track the source")
    team.tag(TAG)
    return team


def test_what_dvc_tracks_is_released(in_dvc: Team) -> None:
    """Teams that keep models out of git by DVC need no second place for them."""
    elsewhere = in_dvc.clone("elsewhere")
    assert not (elsewhere.folder / "source").exists()

    assert _released_source(elsewhere) == WEIGHTS


def test_what_dvc_does_not_find_leaves_nothing_behind(in_dvc: Team, tmp_path: Path) -> None:
    """`dvc push` is easily forgotten."""
    shutil.rmtree(tmp_path / "store")
    elsewhere = in_dvc.clone("elsewhere")

    with pytest.raises(SourceRefused, match=r"what source\.dvc tracks is not there"):
        fetch_source.run(TAG, workplace=elsewhere.workplace)

    assert not (elsewhere.record(TAG).folder / "blobs").exists()


@pytest.fixture
def dvc_server(in_dvc: Team, tmp_path: Path) -> Iterator[FolderServer]:
    """What DVC pushed, by way of http; the configuration names it."""
    server = FolderServer(tmp_path / "store")
    in_dvc.edit(".dvc/config", str(tmp_path / "store"), f"http://127.0.0.1:{server.port}")
    in_dvc.commit("Fetch by http")
    yield server
    with suppress(OSError):
        server.stop()


def _fetched_by_dvc(team: Team) -> None:
    fetch_source.run_on_working_tree(MODEL, workplace=team.clone("elsewhere").workplace)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_remote_of_dvc_that_fails_can_be_asked_again(in_dvc: Team, dvc_server: FolderServer, status: int) -> None:
    """DVC itself says that the files are missing, and somebody would push them again for nothing."""
    dvc_server.status = status
    with pytest.raises(Unreachable) as caught:
        _fetched_by_dvc(in_dvc)
    assert caught.value.exit_code == 12


def test_a_remote_of_dvc_that_is_gone_can_be_asked_again(in_dvc: Team, dvc_server: FolderServer) -> None:
    """An outage is no fault of the model's."""
    dvc_server.stop()
    with pytest.raises(Unreachable, match=r"what source\.dvc tracks could not be fetched"):
        _fetched_by_dvc(in_dvc)


def test_an_object_that_a_remote_of_dvc_lacks_is_told_so(in_dvc: Team, dvc_server: FolderServer) -> None:
    """The list of the folder came, one of its files was never pushed: no waiting brings it."""
    dvc_server.files = {name: content for name, content in dvc_server.files.items() if name.endswith(".dir")}
    with pytest.raises(SourceRefused, match=r"what source\.dvc tracks is not there") as caught:
        _fetched_by_dvc(in_dvc)
    assert caught.value.exit_code == 2


def test_a_remote_of_dvc_that_lets_nobody_in_is_told_so(in_dvc: Team, dvc_server: FolderServer) -> None:
    """The secret of the job is what has to be mended."""
    dvc_server.status = 403
    with pytest.raises(SourceRefused, match="is not given to us"):
        _fetched_by_dvc(in_dvc)


def test_a_login_of_the_machine_is_shown_to_no_remote_of_dvc(
    in_dvc: Team, dvc_server: FolderServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch may name the remote, and a laptop may have a login for any host."""
    (tmp_path / ".netrc").write_text("default login ada password swordfish\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    _fetched_by_dvc(in_dvc)

    assert set(dvc_server.asked) == {"nobody"}


def test_other_bytes_than_a_digest_of_dvc_says_are_refused(in_dvc: Team, tmp_path: Path) -> None:
    """DVC believes its remote: whoever writes there could change a model under a digest that was reviewed."""
    weights = tmp_path / "store" / "files" / "md5" / hashlib.md5(WEIGHTS, usedforsecurity=False).hexdigest()[:2]
    for path in weights.iterdir():
        path.chmod(0o644)
        path.write_bytes(WEIGHTS[::-1])

    with pytest.raises(SourceRefused):
        _fetched_by_dvc(in_dvc)


def test_a_name_that_looks_like_an_option_is_a_name(in_dvc: Team, tmp_path: Path) -> None:
    """Who writes a branch names its files, and DVC would take `--cd` and others from among them."""
    shutil.copyfile(in_dvc.folder / "source.dvc", in_dvc.folder / "source" / "--jobs.dvc")
    (in_dvc.folder / "source.dvc").unlink()

    page = fetch_source.run_on_working_tree(MODEL, workplace=in_dvc.workplace)

    assert page is not None and "source/weights.json" in {file.path for file in page.body.origin.files}


@pytest.mark.parametrize("digest", ["../../../../etc/passwd", "..", "0" * 31, f"{'0' * 32}.dir/.."])
def test_a_digest_in_a_dvc_file_that_is_a_path_is_refused(team: Team, digest: str) -> None:
    """DVC makes the name of a file of it, on this machine and in its remote."""
    team.write(".dvc/config", "[core]\n    remote = store\n")
    team.write(f"models/{MODEL}/source/more.bin.dvc", f"outs:\n- md5: {digest}\n  path: more.bin\n")
    team.commit("Track")

    with pytest.raises(BadFile, match=r"more\.bin\.dvc"):
        fetch_source.run_on_working_tree(MODEL, workplace=team.workplace)


def test_a_command_that_a_branch_writes_for_dvc_is_not_run(in_dvc: Team, tmp_path: Path) -> None:
    """AWS's own file names a command that gives credentials, and DVC takes the place of that file from its remote."""
    (tmp_path / "aws").write_text(f"[default]\ncredential_process = touch {tmp_path}/it-ran\n")
    store = f"url = {tmp_path / 'store'}"
    in_dvc.edit(".dvc/config", store, f"url = s3://bucket/x\n    configpath = {tmp_path / 'aws'}")
    in_dvc.commit("Name a file of AWS's")

    with pytest.raises(BadFile, match="`configpath`"):
        _fetched_by_dvc(in_dvc)

    assert not (tmp_path / "it-ran").exists()


def test_a_dvc_file_that_imports_is_refused(team: Team) -> None:
    """It could name any repository, and be fetched from there beside our credentials."""
    team.write(".dvc/config", "[core]\n    remote = store\n")
    team.write(
        f"models/{MODEL}/source/more.bin.dvc",
        "deps:\n- repo: {url: https://elsewhere.example}\nouts:\n- path: more.bin\n",
    )
    team.commit("Import")
    team.tag(TAG)

    with pytest.raises(BadFile, match="imports from elsewhere"):
        fetch_source.run(TAG, workplace=team.workplace)


def test_an_import_is_refused_however_it_is_written(team: Team) -> None:
    """YAML has a second way to write a mapping, in which no line begins with its key."""
    team.write(".dvc/config", "[core]\n    remote = store\n")
    more = "{deps: [{path: x, repo: {url: https://elsewhere.example}}], outs: [{path: more.bin}]}\n"
    team.write(f"models/{MODEL}/source/more.bin.dvc", more)
    team.commit("Import")
    team.tag(TAG)

    with pytest.raises(BadFile, match="imports from elsewhere"):
        fetch_source.run(TAG, workplace=team.workplace)


@pytest.mark.parametrize("told", ["wdir: ..\nouts:\n- path: more.bin\n", "outs:\n- path: deep/more.bin\n"])
def test_a_dvc_file_that_tracks_what_is_not_beside_it_is_refused(told: str, team: Team) -> None:
    """DVC leaves such a file out without a word, and the model would lack it."""
    team.write(".dvc/config", "[core]\n    remote = store\n")
    team.write(f"models/{MODEL}/source/more.bin.dvc", told)
    team.commit("Track what lies elsewhere")
    team.tag(TAG)

    with pytest.raises(BadFile, match=r"more\.bin\.dvc tracks `.*more\.bin`, which does not lie beside it"):
        fetch_source.run(TAG, workplace=team.workplace)


def test_a_name_that_dvcs_remote_chose_leads_nowhere_else(in_dvc: Team, tmp_path: Path) -> None:
    """DVC itself writes where it leads: whoever writes to the remote could replace what runs beside the credentials."""
    (listing,) = (tmp_path / "store").rglob("*.dir")
    content = listing.read_text().replace("weights.json", "../../../../outside.json").encode()
    name = hashlib.md5(content, usedforsecurity=False).hexdigest()
    (tmp_path / "store" / "files" / "md5" / name[:2]).mkdir(exist_ok=True)
    (tmp_path / "store" / "files" / "md5" / name[:2] / f"{name[2:]}.dir").write_bytes(content)
    dvc_file = f"outs:\n- md5: {name}.dir\n  nfiles: 1\n  hash: md5\n  path: source\n"
    in_dvc.write(f"models/{MODEL}/source.dvc", dvc_file)
    in_dvc.commit("Track another folder")
    in_dvc.tag("tip@v1.0.1")
    elsewhere = in_dvc.clone("elsewhere")

    with pytest.raises(SourceRefused, match=r"`\.\./\.\./\.\./\.\./outside\.json`, which is no path inside"):
        fetch_source.run("tip@v1.0.1", workplace=elsewhere.workplace)

    assert not list(tmp_path.rglob("outside.json"))


def test_a_remote_by_a_path_from_the_repository_is_told(in_dvc: Team, tmp_path: Path) -> None:
    """DVC runs in another folder, where nothing is at that path."""
    in_dvc.edit(".dvc/config", str(tmp_path / "store"), "../../store")
    in_dvc.commit("Shorten the address of the store")
    elsewhere = in_dvc.clone("elsewhere")

    with pytest.raises(
        BadFile, match=r"the `url` of remote \"store\", `\.\./\.\./store`, is nothing that is fetched from"
    ):
        fetch_source.run_on_working_tree(MODEL, workplace=elsewhere.workplace)


def test_a_link_to_a_file_of_the_machine_is_no_pointer(in_dvc: Team, tmp_path: Path) -> None:
    """What DVC says of a file that it cannot read quotes it, and a working tree may hold the branch of a stranger."""
    (tmp_path / "login").write_text("hunter2-hunter2: [")
    (in_dvc.folder / "source" / "more.dvc").symlink_to(tmp_path / "login")

    with pytest.raises(BadFile, match="is a link to") as caught:
        fetch_source.run_on_working_tree(MODEL, workplace=in_dvc.workplace)

    assert "hunter2" not in str(caught.value)
