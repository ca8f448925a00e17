"""What reads the guides finds what a person reads, and says so where something else is printed."""

from __future__ import annotations

import re

import pytest

from tests.guides.blocks import Block, blocks_in, blocks_of, first_missing
from tests.template.bench import ROOT

FOLLOWED = ("generate.md", "upgrade.md", "leaving.md", "release.md", "review-and-operate.md")
TEXT = """# A guide
```bash
echo one
```
Two words. It prints:
```text
one …
```
A formula:
```text
a = b
```
```bash
echo two
```
"""


def test_each_block_comes_with_what_it_prints() -> None:
    """A fence that no words call a print is an example, and held against nothing."""
    assert blocks_in(TEXT) == [Block("echo one\n", 2, ("one …",)), Block("echo two\n", 13)]


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        (["one", "three"], "one\ntwo\nthree\n", None),
        (["three", "one"], "one\ntwo\nthree\n", "one"),
        (["it took … s, … rows"], "it took 3.5 s, 20 rows", None),
        (["it took … s"], "it took 3.5 s, 20 rows", "it took … s"),
        (["a  b"], "a     b", None),
        (["on"], "one", "on"),
        (["1.5 (s)"], "1x5 (s)", "1.5 (s)"),
    ],
)
def test_a_line_that_was_not_printed_is_told(shown: list[str], printed: str, missing: str | None) -> None:
    """A matcher that takes anything would hold the guides to nothing."""
    assert first_missing(shown, printed) == missing


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_guide_has_no_command_that_is_not_followed(page: str) -> None:
    """Under another name than `bash`, a block would be read by people and by no test."""
    fences = [line.strip() for line in (ROOT / "docs" / page).read_text().splitlines() if line.startswith("```")]

    assert {*fences} == {"```bash", "```text", "```"}
    assert len(blocks_of(ROOT / "docs" / page)) == fences.count("```bash") >= 3


def test_what_generates_and_updates_is_what_was_tried() -> None:
    """The newest cruft of the day could do otherwise than the one by which all of this was tested."""
    of_guide, of_tests = (_pins(name) for name in ("cruft.txt", "development.txt"))
    assert "cruft" in of_guide
    assert of_guide.items() <= of_tests.items()


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_guide_installs_by_hash_alone(page: str) -> None:
    """A name without a version is another program next month."""
    commands = [line for block in blocks_of(ROOT / "docs" / page) for line in block.commands.splitlines()]
    installing = [line for line in commands if re.search(r"\bpip (install|sync)\b", line)]

    assert [line for line in installing if not re.search(r" requirements/[a-z-]+\.txt$", line)] == []


def _pins(name: str) -> dict[str, str]:
    """Versions by package; each line of these files comes with its hashes."""
    return dict(re.findall(r"^(\S+)==(\S+)", (ROOT / "requirements" / name).read_text(), flags=re.MULTILINE))
