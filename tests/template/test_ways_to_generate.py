"""Every way to generate gives one tree, and an update leaves a team's work alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.template.bench import GOOD, MATRIX, Bench, Tree, lines_to_paste, tree


def test_an_address_gives_the_same_tree_as_a_path(pristine: Path, bench: Bench, clean_tree: Tree) -> None:
    """What somebody tried from a clone must be what the team gets from the address."""
    assert tree(bench.generated(f"git+file://{pristine}", into=bench.folder / "out")) == clean_tree


@pytest.mark.parametrize("case", MATRIX)
def test_cruft_gives_the_same_tree_and_its_own_note(case: str, pristine: Path, bench: Bench) -> None:
    """The two tools run the hooks with different knowledge of the template."""
    answers = MATRIX[case]
    by_cookiecutter = bench.generated(pristine, into=bench.folder / "out", answers=answers)
    done = bench.create(pristine, into=bench.folder / "team", answers=answers)

    assert done.returncode == 0, done.stderr
    by_cruft = bench.folder / "team" / by_cookiecutter.name
    assert tree(by_cruft) == tree(by_cookiecutter)
    assert (by_cruft / ".cruft.json").is_file()


@pytest.mark.parametrize("tool", ["cookiecutter", "cruft"])
@pytest.mark.parametrize("case", MATRIX)
def test_five_lines_to_paste_are_printed(case: str, tool: str, pristine: Path, bench: Bench) -> None:
    """A generated repository is not yet a release: the way there is a push, doctor, a runtime, a check and a tag."""
    generate = bench.cookiecutter if tool == "cookiecutter" else bench.create
    push, doctor, runtime, check, tag = lines_to_paste(
        generate(pristine, into=bench.folder / "out", answers=MATRIX[case]).stdout
    )

    assert push.endswith(" && git push -u origin main")
    assert doctor.startswith("make setup && ") and doctor.endswith(" && .venv/bin/slipway doctor")
    tagged = 'git tag -a {0}@v1.0.0 -m "First release" && git push origin {0}@v1.0.0'
    begun = '.venv/bin/slipway check MODEL && git add --all && git commit -m "Add MODEL" && git push'
    expected = {
        "the defaults": (
            '.venv/bin/slipway doctor | grep "runtime image"',
            ".venv/bin/slipway check flight-delay",
            f"{tagged.format('flight-delay')} && .venv/bin/slipway release flight-delay@v1.0.0",
        ),
        "a registry, no example, and names of its own": (
            ".venv/bin/slipway merge 1 && git pull",
            ".venv/bin/slipway new-model MODEL",
            f"{begun} && {tagged.format('MODEL')}",
        ),
    }
    assert (runtime, check, tag) == expected[case]


def test_the_first_line_works_as_it_is_printed(pristine: Path, bench: Bench) -> None:
    """A line to paste that fails is the first thing that a team would see of Slipway."""
    told = bench.cookiecutter(pristine, into=bench.folder / "out").stdout
    done = bench.run("bash", "-ec", lines_to_paste(told)[0], cwd=bench.folder / "out")

    assert done.returncode == 0, done.stderr
    origin = bench.folder / "out" / f"{GOOD['repo_slug']}.git"
    assert bench.git(origin, "rev-list", "--count", "main").strip() == "1"


def test_an_update_changes_nothing_of_what_runs_or_of_the_models(template: Path, bench: Bench) -> None:
    """Years of releases lie there; the template's example and its empty quarantine must never come over them."""
    repository = bench.made_by_cruft(template)
    manifest = repository / "deploy" / "production" / "flight-delay" / "kustomization.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("images:\n  - {name: flight-delay, newTag: v1.1.0}\n")
    (repository / "models" / "flight-delay" / "README.md").write_text("# Ours now\n")
    (repository / "deploy" / "quarantine.yaml").write_text("entries: [{model: flight-delay}]\n")
    bench.commit(repository, "Release")
    before = {name: tree(repository / name) for name in ("deploy", "models")}
    for name in ("deploy/quarantine.yaml", "deploy/production/README.md", "models/flight-delay/README.md"):
        (template / name).write_text("# Changed by the template\n")
    (template / "deploy" / "base" / "new.yaml").write_text("new: true\n")
    (template / "docs" / "generate.md").write_text("# Changed by the template\n")
    bench.commit(template)

    done = bench.cruft("update", "-y", cwd=repository)

    assert done.returncode == 0, done.stderr
    assert (repository / "docs" / "generate.md").read_text() == "# Changed by the template\n"
    assert {name: tree(repository / name) for name in ("deploy", "models")} == before
    assert "Next, from the folder" not in done.stdout


def test_an_update_merges_with_what_a_team_wrote(template: Path, bench: Bench) -> None:
    """A team raises a floor; the template improves a sentence of the same file."""
    repository = bench.made_by_cruft(template)
    policy = repository / "policies" / "drift.yaml"
    policy.write_text(policy.read_text().replace("distance: 0.15 ", "distance: 0.10 "))
    bench.commit(repository)
    ours = template / "policies" / "drift.yaml"
    ours.write_text(ours.read_text().replace("Look at the input", "First look at the input"))
    bench.commit(template)

    assert bench.cruft("update", "-y", cwd=repository).returncode == 0
    merged = policy.read_text()
    assert "distance: 0.10 " in merged
    assert "First look at the input" in merged
    assert bench.git(repository, "diff", "--diff-filter=U", "--name-only") == ""


def test_a_new_workflow_travels_unrendered(template: Path, bench: Bench) -> None:
    """Workflows and the template's engine both write double braces."""
    workflow = template / ".github" / "workflows" / "release.yml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    workflow.write_text("run: ${{ github.ref_name }}\n")
    (workflow.parent / "template-ci.yml").write_text("run: ${{ github.ref_name }}\n")
    link = template / "{{cookiecutter.repo_slug}}" / ".github" / "workflows" / "release.yml"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to("../../../.github/workflows/release.yml")
    bench.commit(template)
    repository = bench.generated(template, into=bench.folder / "out")

    assert (repository / ".github" / "workflows" / "release.yml").read_text() == "run: ${{ github.ref_name }}\n"
    assert not (repository / ".github" / "workflows" / "release.yml").is_symlink()
    assert not (repository / ".github" / "workflows" / "template-ci.yml").exists()
