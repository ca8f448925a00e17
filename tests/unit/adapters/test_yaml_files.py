"""What people write in YAML, read with answers that name the place and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.yaml_files import LARGEST_FILE, parse_yaml, read_yaml
from slipway.domain.limits import DriftLimit
from slipway.domain.metric_limits import MetricsLimit
from slipway.domain.policy import Policy
from slipway.errors import BadFile

GOOD = """\
question: Did an input move?
motivation: Users change.
limit:
  distance: 0.15
remedy: Look at the feature.
models:
  flight-delay:
    reason: weekly traffic is small
    limit: {distance: 0.2}
"""


def read(text: str | bytes) -> Policy[DriftLimit]:
    content = text.encode() if isinstance(text, str) else text
    return parse_yaml(content, Policy[DriftLimit], where="policies/drift.yaml")


def test_a_policy_is_read_with_its_override() -> None:
    """The override must win, or a team's reasoned exception would be ignored."""
    policy = read(GOOD)
    assert policy.limit_for("other").distance == 0.15
    assert policy.limit_for("flight-delay").distance == 0.2


@pytest.mark.parametrize(
    ("typo", "line", "nearest"),
    [("distanse: 0.15", 4, "distance"), ("window_day: 7", 4, "window_days")],
)
def test_a_misspelt_limit_names_file_line_and_nearest_key(typo: str, line: int, nearest: str) -> None:
    """A misspelt limit that passes silently is a limit that does not hold."""
    with pytest.raises(BadFile) as caught:
        read(GOOD.replace("  distance: 0.15", f"  {typo}", 1))
    assert f"policies/drift.yaml, line {line}" in str(caught.value)
    assert f"did you mean `{nearest}`?" in str(caught.value)


def test_a_typo_deep_inside_an_override_is_found_on_its_own_line() -> None:
    """Overrides are nested three levels deep; the line must be that of the typo."""
    with pytest.raises(BadFile, match=r"line 9: unknown key `models\.flight-delay\.limit\.distanc`") as caught:
        read(GOOD.replace("{distance: 0.2}", "{distanc: 0.2}"))
    assert "did you mean `distance`?" in str(caught.value)


def test_a_value_out_of_range_names_its_field() -> None:
    """15 for 15 % is the likeliest slip of all."""
    with pytest.raises(BadFile, match=r"line 4: limit\.distance: Input should be less than or equal to 1"):
        read(GOOD.replace("distance: 0.15", "distance: 15"))


def test_a_missing_key_is_named() -> None:
    """An empty remedy would leave the reader of a red gate alone."""
    with pytest.raises(BadFile, match="`remedy` is missing"):
        read(GOOD.replace("remedy: Look at the feature.\n", ""))


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (BOMB.encode(), "alias"),
        (b"question: \xff\n", "line 1: byte 10 is not UTF-8"),
        (b"question: [1, 2\n", "line 2: did not find expected ',' or ']'"),
        (b"- a\n- b\n", "holds no `key: value` lines"),
        (b"", "holds no `key: value` lines"),
        (b"question: " + b"[" * 100 + b"]" * 100 + b"\n", "nested deeper"),
        (b"question: " + b"[" * 5_000 + b"\n", "exceeded maximum nesting depth"),
        (b"question: a\nquestion: b\n", "line 2: `question` is there twice"),
        (b"question: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        (b"limit: 2013-02-30\n", "day is out of range"),
        (b"? [a, b]\n: c\n", "policies/drift.yaml"),
    ],
    ids=[
        *("bomb", "latin-1", "broken", "list", "empty", "deep", "deeper", "twice", "object"),
        *("no such day", "list as key"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_in_plain_words(content: bytes, problem: str) -> None:
    """These files come from pull requests of strangers."""
    with pytest.raises(BadFile, match=r"(?s).*mend: ") as caught:
        read(content)
    assert problem in str(caught.value)


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    """Parsing 100 MB of YAML takes minutes and gigabytes."""
    path = tmp_path / "model.yaml"
    with path.open("wb") as file:
        file.truncate(100 * LARGEST_FILE)
    with pytest.raises(BadFile, match="larger than 1,000,000 bytes"):
        read_yaml(path, Policy[MetricsLimit])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The commonest slip: the wrong folder."""
    with pytest.raises(BadFile, match=r"drift\.yaml cannot be read: No such file"):
        read_yaml(tmp_path / "drift.yaml", Policy[DriftLimit])


@given(st.binary(max_size=200))
def test_no_bytes_whatever_end_in_a_traceback(content: bytes) -> None:
    """Whatever is in the file, the reader gets an error that names it."""
    with pytest.raises(BadFile, match=r"policies/drift\.yaml"):
        read(content)


def test_a_misspelt_required_key_is_told_as_misspelt() -> None:
    """Told as missing only, the reader would look at the line and see it there."""
    with pytest.raises(BadFile, match="line 5: unknown key `remdy`") as caught:
        read(GOOD.replace("remedy:", "remdy:"))
    assert "did you mean `remedy`?" in str(caught.value)
