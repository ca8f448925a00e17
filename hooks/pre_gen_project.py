"""Refuse what cannot work before a file is written, then make room without losing a file.

cookiecutter renders this file and runs it inside the new repository. Afterwards it replaces each linked folder as a
whole, with everything that lies in it. So what a person had there is set aside here, and what lies in the template
without belonging to it is listed; `post_gen_project` puts back the one and takes out the other.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Any, NamedTuple

# `tojson` escapes what could end this text early, so no answer can become code.
ANSWERS: dict[str, Any] = json.loads(r"""{{ cookiecutter | tojson }}""")
LINKED: list[str] = ANSWERS["_copy_without_render"]
PROJECT = "{" + "{cookiecutter.repo_slug}" + "}"  # in two pieces, since this file is rendered, too
AT_WORK = Path(".slipway-generation")
DEPLOYED = "deploy"  # nothing that lies there is ever replaced, also where it was rendered and not linked
ENGINES = ("process", "docker", "kubernetes", "argo-cd", "flux")
# What tools leave behind, for a template that came without git.
LITTER = """
    .env .env.* .venv .tools .slipway .slipway-generation __pycache__ *.pyc *.egg-info .mypy_cache .ruff_cache
    .pytest_cache .hypothesis .import_linter_cache .coverage node_modules .ipynb_checkpoints .idea .vscode .DS_Store
    Thumbs.db *.swp *~
"""
REPOSITORY_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"  # the OCI distribution specification 1.1


class Problem(NamedTuple):
    what: str
    mend: str


def main() -> int:
    problems, leftovers = list(bad_answers()), []
    template = template_folder()
    if template is not None:
        problems += bad_links(template / PROJECT)
        try:
            leftovers = list_leftovers(template)
        except subprocess.CalledProcessError as error:
            problems.append(Problem(f"git cannot list the template: {error.stderr.strip()}", "run git status in it"))
    elif "_repo_dir" in ANSWERS:
        problems.append(Problem(f"{ANSWERS['_repo_dir']} is not found from here", "give the template's full path"))
    if problems:
        sys.stderr.writelines(f"{problem.what}\n  mend: {problem.mend}\n" for problem in problems)
        return 1
    make_room(leftovers)
    return 0


def bad_answers() -> Iterator[Problem]:
    owner = answer("github_owner")
    checks: tuple[tuple[str, Callable[[str], bool], str, str], ...] = (
        ("repo_slug", is_repository_name, "is no name of a GitHub repository", f"write it as {nearest_name()}"),
        ("github_owner", is_owner, "is no GitHub user or organisation", "name who owns the repository, such as acme"),
        ("code_owners", are_owners, "names nobody on GitHub", "write @user or @organisation/team, a space between two"),
        (
            "image_registry",
            is_registry,
            "is neither HOST/PREFIX in lower case nor layout:FOLDER",
            f"write layout:.slipway/registry, or such as ghcr.io/{owner.lower() if is_owner(owner) else 'acme'}",
        ),
        ("rollout_engine", ENGINES.__contains__, "is no known engine", f"use one of: {', '.join(ENGINES)}"),
    )
    for name, is_good, what, mend in checks:
        if not is_good(answer(name)):
            yield Problem(f"{name}: `{answer(name)}` {what}", mend)
    engine = answer("rollout_engine")
    if engine in ENGINES[1:] and answer("image_registry").startswith("layout:"):
        yield Problem(
            f"rollout_engine: `{engine}` pulls images from a registry, and image_registry is a folder",
            f"answer image_registry with HOST/PREFIX, such as ghcr.io/{owner.lower() if is_owner(owner) else 'acme'}",
        )


def answer(name: str) -> str:
    return str(ANSWERS[name])


def is_repository_name(text: str) -> bool:
    reserved = text.strip(".") == "" or text.endswith((".git", ".wiki"))
    return bool(re.fullmatch(r"(?!-)[A-Za-z0-9._-]{1,100}", text)) and not reserved


def nearest_name() -> str:
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", answer("repo_slug"))[:100]
    return re.sub(r"(?:\.git|\.wiki)+$", "", words).strip("-.") or "model-releases"


def is_owner(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}", text))


def are_owners(text: str) -> bool:
    names = text.split(" ")
    return all(re.fullmatch(r"@[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9._-]+)?", name) for name in names)


def is_registry(text: str) -> bool:
    kind, _, folder = text.partition(":")
    if kind == "layout":
        parts = PurePath(folder).parts
        return bool(re.fullmatch(r"[A-Za-z0-9_./-]+", folder)) and parts[:1] not in ((), ("/",)) and ".." not in parts
    return bool(re.fullmatch(rf"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]+)?(?:/{REPOSITORY_PART})+", text))


def template_folder() -> Path | None:
    """The template on this machine, or None where it cannot be known.

    cookiecutter gives a path relative to a folder that it does not name; cruft gives none. But both work in the
    template while they run a hook, and where /proc exists it tells where our parent works.
    """
    given = ANSWERS.get("_repo_dir", "")
    for candidate in (Path(f"/proc/{os.getppid()}/cwd"), Path(os.environ.get("PWD", ""), given)):
        if (candidate / "cookiecutter.json").is_file() and (candidate / PROJECT).is_dir():
            return candidate.resolve()
    return None


def bad_links(project: Path) -> Iterator[Problem]:
    """Links that are missing, point nowhere, or arrived as small files that hold the path they should point to."""
    for name in LINKED:
        for path in sorted(project.glob(name)) if "*" in name else [project / name]:
            if path.is_file() and not path.is_symlink() and is_path_in_words(path):
                yield Problem(
                    f"the template's link {path.relative_to(project)} arrived as a text file",
                    "generate from the template's git address, not from a zip download; on Windows first turn on "
                    "Developer Mode and run:\n        git config --global core.symlinks true",
                )
            elif not path.exists():
                yield Problem(
                    f"the template's link {path.relative_to(project)} leads nowhere",
                    "fetch the template again; in the template itself: restore the folder, or remove the link and its "
                    "line in cookiecutter.json",
                )


def is_path_in_words(path: Path) -> bool:
    content = path.read_bytes()[:300]
    return content.startswith(b"../") and b"\n" not in content.strip()


def list_leftovers(template: Path) -> list[str]:
    """Paths inside the generated repository of all that lies in the template without belonging to it.

    Raises:
        subprocess.CalledProcessError: the template is a git checkout that git cannot read.
    """
    belongs = belongs_to_git(template) if (template / ".git").exists() else is_no_litter
    found = []
    for folder, folders, files in os.walk(template / PROJECT, followlinks=True):
        at = Path(os.path.relpath(Path(folder).resolve(), template))
        ours = {name for name in (*folders, *files) if belongs(at / name)}
        found += [Path(folder, name) for name in (*folders, *files) if name not in ours]
        folders[:] = [name for name in folders if name in ours]
    return sorted(path.relative_to(template / PROJECT).as_posix() for path in found)


def belongs_to_git(template: Path) -> Callable[[Path], bool]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # set inside git's hooks
    listing = subprocess.run(
        ["git", "-C", str(template), "ls-files", "-z"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        env=clean,
    )
    tracked = {Path(name) for name in listing.stdout.split("\0") if name}
    return (tracked | {parent for path in tracked for parent in path.parents}).__contains__


def is_no_litter(path: Path) -> bool:
    return not any(fnmatch(path.name, pattern) for pattern in LITTER.split())


def make_room(leftovers: list[str]) -> None:
    """Set aside a person's files where generation would write over whole folders; note what has to come out."""
    for name in [DEPLOYED, *(name for name in LINKED if Path(name).is_dir()), *leftovers]:
        set_aside(Path(name), AT_WORK / "kept" / name)
    AT_WORK.mkdir(exist_ok=True)
    (AT_WORK / "leftovers.json").write_text(json.dumps(leftovers), encoding="utf-8")


def set_aside(path: Path, kept: Path) -> None:
    """Move; what a generation that was stopped half-way has set aside already is the original, and stays."""
    if os.path.lexists(path) and not os.path.lexists(kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.rename(kept)
    elif path.is_dir() and not path.is_symlink() and kept.is_dir():
        for child in path.iterdir():
            set_aside(child, kept / child.name)


if __name__ == "__main__":
    sys.exit(main())
