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
MEND = """\
generate from the template's git address, not from a zip download; on Windows first turn on Developer Mode and run:
        git config --global core.symlinks true"""
# A list of the files that a team does not edit, for `slipway doctor`: it tells what was edited of them.
LISTED = Path(".slipway-files.sha256")
EDITED_BY_TEAMS = ("deploy", "models", "policies/*.yaml", "tests/models", ".github/rulesets")
YOURS = ("deploy", "models")  # as [tool.cruft] in pyproject.toml: here a person's file wins over the template's


def main() -> int:
    wanted = [name for name in LINKED if "*" not in name]
    unwanted = [] if ANSWERS["include_example"] else [name for name in wanted if Path(name).name == EXAMPLE]
    listed = AT_WORK / "leftovers.json"
    if listed.is_file():
        take_out([*json.loads(listed.read_text(encoding="utf-8")), *unwanted, str(listed)])
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
    slug = ANSWERS["repo_slug"]
    model = EXAMPLE if ANSWERS["include_example"] else "MODEL"
    check = "" if ANSWERS["include_example"] else ".venv/bin/slipway new-model MODEL && "
    steps = (
        f'cd {slug} && git init -b main && git add --all && git commit -m "Generate {slug} from Slipway"',
        f"git init --bare -b main ../{slug}.git && git remote add origin ../{slug}.git && git push -u origin main",
        "make setup",
        f"{check}.venv/bin/slipway check {model}",
        f'git tag -a {model}@v1.0.0 -m "First release" && git push origin {model}@v1.0.0',
    )
    lines = "".join(f"  {number}. {step}\n" for number, step in enumerate(steps, start=1))
    return f"{slug} is there. Next, from the folder that holds it:\n{lines}docs/generate.md says more.\n"


def is_comparison() -> bool:
    """`cruft update` generates into temporary folders to see what changed; nobody works there."""
    folder, temporary = Path.cwd().parent, Path(tempfile.gettempdir()).resolve()
    return "_commit" in ANSWERS and folder.parent == temporary and folder.name.startswith("tmp")


if __name__ == "__main__":
    sys.exit(main())
