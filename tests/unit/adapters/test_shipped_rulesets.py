"""The rulesets under .github/rulesets: GitHub takes them as they are, and they mean the right refs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.shipped_rulesets import FOLDER, read_rulesets
from slipway.domain.checkup.forge import holds
from slipway.errors import BadFile

from tests.github_stand_in.description import Exchange, answer_schema, fill, violations

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = {str(one["name"]): one for one in read_rulesets(ROOT)}
FILES = sorted((ROOT / FOLDER).glob("*.json"))
ADDRESS = "/repos/{owner}/{repo}/rulesets"


def meant(pattern: str) -> re.Pattern[str]:
    """Ruby's File.fnmatch with FNM_PATHNAME, by which GitHub reads it: `**/` is any folders, `*` stays in one."""
    parts = {"**/": "(?:[^/]+/)*", "*": "[^/]*"}
    return re.compile("".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*)", pattern)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_github_takes_each_file_as_it_is(path: Path) -> None:
    """By `doctor --fix`, and by the import on GitHub's own page."""
    body = json.loads(path.read_text(encoding="utf-8"))
    schema = answer_schema(ADDRESS, "POST", 201)
    assert schema is not None
    answer = fill(schema, {**body, "id": 1, "source": "acme/models"})
    asked = Exchange("POST", "/repos/acme/models/rulesets", "", body, 201, answer)

    assert violations(asked) == []
    assert set(body) == set(SHIPPED[body["name"]])
    for pattern in body["conditions"]["ref_name"]["include"]:
        assert pattern == "~DEFAULT_BRANCH" or pattern.startswith(
            f"refs/{'tags' if body['target'] == 'tag' else 'heads'}/"
        )


@pytest.mark.parametrize(
    ("ref", "is_meant"),
    [
        ("refs/tags/tip@v1.0.0", True),
        ("refs/tags/tip@v1.0.0-rc.1", True),
        ("refs/tags/tip@v1.0.0!", True),
        ("refs/tags/a/b@v2.0.0", True),
        ("refs/tags/v1.0.0", False),
        ("refs/tags/tip-v1.0.0", False),
        ("refs/heads/tip@v1.0.0", False),
    ],
)
def test_the_pattern_means_release_tags_alone(ref: str, is_meant: bool) -> None:
    """`*` alone does not cross a slash, and one that means all tags would stop a team's other ones."""
    patterns = {pattern for one in SHIPPED.values() if one["target"] == "tag" for pattern in refs_of(one)}
    assert {bool(meant(pattern).fullmatch(ref)) for pattern in patterns} == {is_meant}


def refs_of(ruleset: Mapping[str, Any]) -> list[str]:
    return list(ruleset["conditions"]["ref_name"]["include"])


def test_what_github_fills_in_makes_no_difference_and_an_exception_does() -> None:
    """Else `doctor` would update forever, or not see what was loosened."""
    for shipped in SHIPPED.values():
        told = {**shipped, "id": 1, "source_type": "Repository", "rules": [*shipped["rules"], {"type": "creation"}]}
        assert holds(shipped, told)
        assert holds(shipped, {name: value for name, value in told.items() if name != "bypass_actors"})
        looser = {"ref_name": {**shipped["conditions"]["ref_name"], "exclude": ["refs/tags/hot@v*"]}}
        assert not holds(shipped, {**told, "conditions": looser})
        assert not holds(shipped, {**told, "enforcement": "evaluate"})
        assert not holds(shipped, {**told, "rules": []})


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is no JSON"), ("[]", "lacks name"), ('{"name": "a"}', "lacks target")]
)
def test_a_file_that_is_no_ruleset_is_named(content: str, said: str, tmp_path: Path) -> None:
    """It is a team's to edit."""
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "mine.json").write_text(content)
    with pytest.raises(BadFile, match=said) as caught:
        read_rulesets(tmp_path)
    assert "mine.json" in caught.value.problem
