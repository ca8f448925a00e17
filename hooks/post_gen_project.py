"""Take out what does not belong, put back what a person had, refuse a tree with holes, and say what comes next.

Run again without `pre_gen_project` before it, it changes nothing: it takes out only what that hook has listed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ANSWERS: dict[str, Any] = json.loads(r"""{{ cookiecutter | tojson }}""")
LINKED: list[str] = ANSWERS["_copy_without_render"]
AT_WORK = Path(".slipway-generation")
EXAMPLE = "flight-delay"
ENGINES = "deploy/engine"  # a folder each for those that read something of the repository
ON_THIS_MACHINE = ANSWERS["image_registry"].startswith("layout:")  # where no runner of GitHub finds its images
SIGN_IN = 'export GITHUB_TOKEN="${GITHUB_TOKEN:-$(gh auth token)}"'
MEND = """\
generate from the template's git address, not from a zip download; on Windows first turn on Developer Mode and run:
        git config --global core.symlinks true"""
# A list of the files that a team does not edit, for `slipway doctor`: it tells what was edited of them.
LISTED = Path(".slipway-files.sha256")
EDITED_BY_TEAMS = ("deploy", "models", "monitoring/*.yml", "policies/*.yaml", "tests/models", ".github/rulesets")
YOURS = ("deploy", "models")  # as [tool.cruft] in pyproject.toml: here a person's file wins over the template's


def main() -> int:
    wanted = [name for name in LINKED if "*" not in name]
    unwanted = [] if ANSWERS["include_example"] else [name for name in wanted if Path(name).name == EXAMPLE]
    engines = [str(path) for path in Path(ENGINES).glob("*") if path.name != ANSWERS["rollout_engine"]]
    listed = AT_WORK / "leftovers.json"
    if listed.is_file():
        take_out([*json.loads(listed.read_text(encoding="utf-8")), *unwanted, *engines, str(listed)])
        LISTED.write_text(list_of(LINKED), encoding="utf-8")
    holes = [name for name in wanted if name not in unwanted and is_hole(Path(name))]
    put_back(AT_WORK / "kept", Path())
    if holes:
        sys.stderr.write(f"links that lead nowhere in the template: {', '.join(holes)}\n  mend: {MEND}\n")
        return 1
    if not is_comparison():
        sys.stdout.write(next_steps())
    return 0


def take_out(names: Iterable[str]) -> None:
    for path in map(Path, names):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == Path() or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()


def list_of(names: Iterable[str]) -> str:
    """A line a file, as `sha256sum` writes it, before a person's own files come back among them."""
    found = [path for name in names for path in Path().glob(name)]
    files = {path for one in found for path in ([one] if one.is_file() else one.rglob("*")) if path.is_file()}
    theirs = {path for pattern in EDITED_BY_TEAMS for path in Path().glob(pattern)}
    ours = sorted(path.as_posix() for path in files if not theirs & {path, *path.parents})
    return "".join(f"{digest(Path(name))}  {name}\n" for name in ours)


def digest(path: Path) -> str:
    """Without the lines of a schedule, which are a team's own; `slipway.adapters.template_files` does the same."""
    lines = path.read_bytes().splitlines(keepends=True)
    return hashlib.sha256(b"".join(line for line in lines if not line.lstrip().startswith(b"- cron:"))).hexdigest()


def is_hole(path: Path) -> bool:
    """Nothing, an empty folder, or a link that became a small file with the path that it should point to."""
    if path.is_file():
        content = path.read_bytes()[:300]
        return content.startswith(b"../") and b"\n" not in content.strip()
    return not path.is_dir() or not any(path.iterdir())


def put_back(kept: Path, target: Path) -> None:
    """Return a person's files to where generation wrote no file, and in their own folders over it."""
    for path in sorted(kept.iterdir()) if kept.is_dir() else []:
        there = target / path.name
        if not os.path.lexists(there):
            there.parent.mkdir(parents=True, exist_ok=True)
            path.rename(there)
        elif is_folder(path) and is_folder(there):
            put_back(path, there)
        elif is_folder(path) or is_folder(there):
            sys.stderr.write(f"{there} is the template's now; yours lies in {path}\n")
        elif there.parts[0] in YOURS:
            path.replace(there)
        else:
            path.unlink()  # overwritten, as `cookiecutter -f` was asked to
    for folder in (kept, kept.parent):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def next_steps() -> str:
    slug, owner = ANSWERS["repo_slug"], ANSWERS["github_owner"]
    hosted = "" if ON_THIS_MACHINE else f"Make the empty repository {owner}/{slug} on GitHub. "
    told = [f"{slug} is there. {hosted}Next, from the folder that holds it, five lines to paste:"]
    told += [f"  {number}. {line}" for number, line in enumerate(lines_to_paste(slug, owner), start=1)]
    if not ON_THIS_MACHINE:
        told.append(
            "Before 3, mend what 2 tells. Its pull request comes from runtime-image.yml; if that failed, run it again."
        )
    if not ANSWERS["include_example"]:
        told.append("Before 5, fill in what 4 wrote.")
    return "\n".join([*told, "docs/generate.md says more.", ""])


def lines_to_paste(slug: str, owner: str) -> tuple[str, ...]:
    """From the first push to an open pull request. A bare repository runs nothing by itself, so the last line does."""
    commit = f'cd {slug} && git init -b main && git add --all && git commit --quiet -m "Generate {slug} from Slipway"'
    tag, check, release = first_release()
    if ON_THIS_MACHINE:
        bare = f"../{slug}.git"
        return (
            f"{commit} && git init --bare -b main {bare} && git remote add origin {bare} && git push -u origin main",
            "make setup && .venv/bin/slipway doctor",
            '.venv/bin/slipway doctor | grep "runtime image"',
            check,
            f"{release} && .venv/bin/slipway release {tag}",
        )
    return (
        f"{commit} && git remote add origin https://github.com/{owner}/{slug}.git && git push -u origin main",
        f"make setup && {SIGN_IN} && .venv/bin/slipway doctor",
        ".venv/bin/slipway merge 1 && git pull",
        check,
        release,
    )


def first_release() -> tuple[str, str, str]:
    """The tag, and the lines that check and push it; without the example, the model is still to be written."""
    model = EXAMPLE if ANSWERS["include_example"] else "MODEL"
    tag, check = f"{model}@v1.0.0", f".venv/bin/slipway check {model}"
    release = f'git tag -a {tag} -m "First release" && git push origin {tag}'
    if ANSWERS["include_example"]:
        return tag, check, release
    commit = f'git add --all && git commit -m "Add {model}" && git push'
    return tag, f".venv/bin/slipway new-model {model}", f"{check} && {commit} && {release}"


def is_comparison() -> bool:
    """`cruft update` generates into temporary folders to see what changed; nobody works there."""
    folder, temporary = Path.cwd().parent, Path(tempfile.gettempdir()).resolve()
    return "_commit" in ANSWERS and folder.parent == temporary and folder.name.startswith("tmp")


if __name__ == "__main__":
    sys.exit(main())
