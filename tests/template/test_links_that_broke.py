"""Links that did not survive the way to this machine are refused, with the way that keeps them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.template.bench import GOOD, PROJECT, Bench, tree

MEND = "mend: generate from the template's git address, not from a zip download"


def test_a_zip_download_is_refused(template: Path, bench: Bench) -> None:
    """Python's zip reader writes each link as a file with its path: `scripts` would be a file of ten bytes."""
    archive = bench.folder / "slipway.zip"
    bench.git(template, "archive", "--format=zip", "--prefix=slipway/", f"--output={archive}", "HEAD")
    done = bench.cookiecutter(archive, into=bench.folder / "out")

    assert done.returncode != 0
    assert "scripts arrived as a text file" in done.stderr
    assert MEND in done.stderr
    assert tree(bench.folder / "out") == {}


def test_a_clone_without_links_is_refused(template: Path, bench: Bench) -> None:
    """What git does on Windows as long as nobody turns links on."""
    bench.git(bench.folder, "clone", "--quiet", "--config", "core.symlinks=false", str(template), "windows")
    done = bench.cookiecutter(bench.folder / "windows", into=bench.folder / "out")

    assert done.returncode != 0
    assert "Makefile arrived as a text file" in done.stderr
    assert "git config --global core.symlinks true" in done.stderr
    assert tree(bench.folder / "out") == {}


def test_cruft_on_such_a_machine_is_refused(template: Path, bench: Bench) -> None:
    """cruft clones by itself, with the settings of that machine."""
    bench.git(template, "config", "--global", "core.symlinks", "false")
    done = bench.create(template, into=bench.folder / "out")

    assert done.returncode != 0
    assert MEND in done.stderr
    assert tree(bench.folder / "out") == {}


def test_a_link_that_leads_nowhere_is_refused(template: Path, bench: Bench) -> None:
    """Without the guard, cookiecutter ends with a traceback that names no link."""
    shutil.rmtree(template / "serving")
    bench.commit(template)
    done = bench.cookiecutter(template, into=bench.folder / "out")

    assert done.returncode != 0
    assert "the template's link serving leads nowhere" in done.stderr
    assert tree(bench.folder / "out") == {}


def test_a_link_that_is_missing_is_refused(template: Path, bench: Bench) -> None:
    """A name in cookiecutter.json that nothing answers to is a folder that a team would miss later."""
    (template / PROJECT / "docs").unlink()
    bench.commit(template)

    assert "the template's link docs leads nowhere" in bench.cookiecutter(template, into=bench.folder / "out").stderr


def test_a_tree_with_holes_is_refused_after_generation(template: Path, bench: Bench) -> None:
    """Where the first hook cannot see the template, the second one looks at what arrived."""
    (template / "hooks" / "pre_gen_project.py").unlink()
    (template / PROJECT / "docs").unlink()
    (template / PROJECT / "policies").unlink()
    (template / PROJECT / "policies").write_text("../policies")
    bench.commit(template)
    done = bench.cookiecutter(template, into=bench.folder / "out")

    assert done.returncode != 0
    assert "links that lead nowhere in the template: docs, policies" in done.stderr
    assert not (bench.folder / "out" / GOOD["repo_slug"]).exists()
