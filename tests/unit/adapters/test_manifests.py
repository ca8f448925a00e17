"""Edits of files that people own: the release shows in the diff, and nothing else."""

from __future__ import annotations

import difflib
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.manifests import (
    EMPTY_QUARANTINE,
    Deployed,
    add_entry,
    deployed,
    entries,
    new_manifest,
    runtime_image,
    set_image,
    set_runtime_image,
)
from slipway.domain.policy import QuarantineEntry
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile

OLD, NEW = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"
MANIFEST = f"""\
# Ours: ask @flight-team before you change replicas
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:   # aligned by hand
- ../../base
images:
  # the other one
  - name: sidecar
    newTag:   "1.0"   # pinned, see #12
  - name: flight-delay   # the model
    newName: 'registry.example:5000/flight-delay'
    newTag: v1.0.0       # read by people
    digest: {OLD}

replicas: [{{name: server, count: 3}}]
"""
ENTRY = QuarantineEntry(
    model="flight-delay", version="v2.0.0", reason='dep_delay "stuck": F1 0.31', by="slipway", until=date(2014, 1, 31)
)


def edit(text: str | bytes, *, tag: str = "v1.1.0") -> str:
    content = text.encode() if isinstance(text, str) else text
    after = set_image(content, name="flight-delay", new_name="r.example:5000/flight-delay", tag=tag, digest=NEW)
    wanted = Deployed("flight-delay", "r.example:5000/flight-delay", tag, NEW)
    assert deployed(after, name="flight-delay") == wanted
    return after.decode()


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line.rstrip("\r\n") for line in lines if line[0] in "+-"]


def test_a_release_changes_three_values_and_keeps_every_comment() -> None:
    """A reviewer reads the diff: three lines are read, three hundred are waved through."""
    assert changed_lines(MANIFEST, edit(MANIFEST)) == [
        "-     newName: 'registry.example:5000/flight-delay'",
        "+     newName: 'r.example:5000/flight-delay'",
        "-     newTag: v1.0.0       # read by people",
        "+     newTag: v1.1.0       # read by people",
        f"-     digest: {OLD}",
        f"+     digest: {NEW}",
    ]


def test_the_same_edit_again_changes_no_byte() -> None:
    """A rerun must not make a commit."""
    assert edit(edit(MANIFEST)) == edit(MANIFEST)


@pytest.mark.parametrize(
    "images",
    [
        "images: []\n",
        "images: [] # none yet\n",
        "images:\n",
        "images: ~  # none yet\n",
        "",
        "images:\n- name: flight-delay\n  newTag: v1.0.0 # no digest yet\n",
        "images:\n- name: flight-delay\n  newTag:\n  digest:\n",
        "images: [{name: flight-delay, newTag: v1.0.0}]\n",
        "images:\n  - {newTag: v1.0.0, name: flight-delay}\n",
        "images:\n  - name: other\n    newTag: v3 # theirs\n",
        "images: [{name: other}] # theirs",
        'images:\n    - newTag: "v1.0.0"\n      name: "flight-delay"\n',
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("behind", ["", "# the end\n", "replicas: [{name: a, count: 3}] # ours\n"])
def test_every_usual_form_of_a_list_is_edited_in_place(images: str, behind: str, newline: str) -> None:
    """Teams write YAML as they like; Windows editors end lines in their own way."""
    gap = "" if images.endswith("\n") or not images else "\n"
    text = f"# top\nkind: Kustomization   # k\n{images}{gap}{behind}".replace("\n", newline)
    after = edit(text)
    for line in text.splitlines():
        comment = line.partition("#")[1] + line.partition("#")[2]
        assert comment in after
        assert line in after.splitlines() or "images" in line or "newTag" in line or "digest" in line
    assert after.count("\r") == (after.count("\n") if newline == "\r\n" else 0)
    others = [image for image in yaml.safe_load(after)["images"] if image["name"] != "flight-delay"]
    assert others == [image for image in yaml.safe_load(text).get("images") or [] if image["name"] != "flight-delay"]


_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=12)
_OTHERS = st.lists(
    st.one_of(
        _WORDS.map(lambda text: f"# {text}"),
        st.just(""),
        st.tuples(st.integers(0, 999), _WORDS).map(lambda pair: f"key{pair[0]}:   [ a,b ]  # {pair[1]}"),
        st.tuples(st.integers(1000, 1999), _WORDS).map(
            lambda pair: f"key{pair[0]}:\n    - |\n      # {pair[1]}\n    -   x"
        ),
    ),
    max_size=5,
    unique_by=lambda line: line.split(":")[0],
)


@given(above=_OTHERS, below=_OTHERS, tag=st.from_regex(r"v[0-9]\.[0-9]\.[0-9](_r[0-9])?", fullmatch=True))
def test_an_edit_keeps_every_comment_and_unrelated_line(above: list[str], below: list[str], tag: str) -> None:
    """Whatever a team writes around its image is still there, byte by byte, after a hundred releases."""
    keys = [line.split(":")[0] for line in (*above, *below) if line.startswith("key")]
    below = below if len(set(keys)) == len(keys) else []
    head, tail = "".join(f"{line}\n" for line in above), "".join(f"{line}\n" for line in below)
    middle = "images:\n  - name: flight-delay  # m\n    newTag: {} # t\n    newName: {} # n\n    digest: {} # d\n"
    before = head + middle.format("v0.0.0", "old", OLD) + tail
    assert edit(before, tag=tag) == head + middle.format(tag, "r.example:5000/flight-delay", NEW) + tail


@pytest.mark.parametrize("engine", RolloutEngine)
def test_a_new_model_has_a_manifest_that_deploys_nothing(engine: RolloutEngine) -> None:
    """The first release adds the image; before it nothing can run by mistake."""
    text = new_manifest("flight-delay", environment="production", engine=engine)
    assert deployed(text) is None
    assert edit(text).encode().startswith(text.removesuffix(b" []\n"))


def test_a_manifest_without_a_digest_deploys_nothing() -> None:
    """A tag alone may be moved; only a digest says what runs."""
    assert deployed(b"images: [{name: flight-delay, newTag: v1.0.0}]") is None
    assert deployed(MANIFEST.encode(), name="flight-delay") == Deployed(
        "flight-delay", "registry.example:5000/flight-delay", "v1.0.0", OLD
    )
    assert deployed(MANIFEST.encode(), name="unknown") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind: a\nimages: [\n", 3),
        ("kind: a\nimages: 3\n", 2),
        ("kind: a\nimages:\n  - name: m\n    newTag: 1.0\n", 4),
        ("kind: a\nimages:\n  - name: m\n    digest: sha256:12\n", 4),
        ("kind: a\nimages:\n  - newTag: v1\n", 3),
    ],
)
def test_a_manifest_that_cannot_be_read_names_file_and_line(text: str, line: int) -> None:
    """People edit these by hand, at night."""
    for read in (deployed, edit_in):
        with pytest.raises(BadFile, match=rf"deploy/k\.yaml, line {line}"):
            read(text.encode(), where="deploy/k.yaml")


def edit_in(content: bytes, where: str) -> bytes:
    return set_image(content, name="m", new_name="n", tag="v1", digest=NEW, where=where)


@pytest.mark.parametrize(
    "text",
    [
        "{kind: a, images: [{name: flight-delay}]}\n",
        "images: [ # mine\n]\n",
        "images:\n- name: flight-delay\n  newTag: |\n    v1\n",
        "images:\n- name: flight-delay\n- name: flight-delay\n",
    ],
)
def test_a_form_that_cannot_be_edited_safely_is_refused(text: str) -> None:
    """Better a person's edit than a wrong one of ours."""
    with pytest.raises(BadFile, match="cannot edit"):
        edit(text)


def test_a_quarantine_entry_is_added_once() -> None:
    """A revert that runs again must not add a second; a person's reason for it stays."""
    once = add_entry(EMPTY_QUARANTINE, ENTRY)
    assert entries(once) == (ENTRY,)
    assert add_entry(once, ENTRY.model_copy(update={"reason": "another"})) == once
    assert EMPTY_QUARANTINE.splitlines()[:-1] == once.splitlines()[: EMPTY_QUARANTINE.count(b"\n") - 1]


def test_a_whole_model_can_be_held() -> None:
    """`*` is YAML's sign for an alias and needs its quotes."""
    held = ENTRY.model_copy(update={"version": "*", "until": None})
    both = add_entry(add_entry(EMPTY_QUARANTINE, ENTRY), held)
    assert set(entries(both)) == {ENTRY, held}


@given(reason=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.strip()))
def test_a_reason_may_hold_any_text(reason: str) -> None:
    """It is the sentence that a person reads at night; colons, quotes and line breaks are part of it."""
    entry = QuarantineEntry(model="m", version="v1.0.0", reason=reason, by='Ada #1: "x"')
    assert entries(add_entry(EMPTY_QUARANTINE, entry)) == (entry,)


def test_a_misspelt_quarantine_key_is_refused() -> None:
    """An entry that is not understood protects nobody."""
    text = b'entries:\n  - model: m\n    version: "*"\n    reason: r\n    by: b\n    untill: 2014-01-31\n'
    with pytest.raises(BadFile, match=r"deploy/quarantine\.yaml, line 6: unknown key") as caught:
        entries(text)
    assert "did you mean `until`?" in str(caught.value)


def test_a_quarantine_of_comments_alone_is_still_written() -> None:
    """Somebody deleted the last entry together with its list."""
    assert entries(add_entry(b"# ours\nentries:\n", ENTRY)) == (ENTRY,)


RUNTIME = f"ghcr.io/acme/runtime@{NEW}"
SETTINGS = {
    "nothing named": "image_registry: ghcr.io/acme\nruntime_image:   # none yet\nrollout_engine: process\n",
    "another": f"# ours\nruntime_image: ghcr.io/acme/runtime@{OLD}  # old\nimage_registry: ghcr.io/acme\n",
    "in quotes": f"image_registry: ghcr.io/acme\nruntime_image: 'ghcr.io/acme/runtime@{OLD}'\n",
    "no such key": "image_registry: ghcr.io/acme\nenvironments:\n  - name: production  # users",
    "of Windows": "image_registry: ghcr.io/acme\r\nenvironments: [{name: production}]\r\n",
}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_another_runtime_image_changes_one_line(text: str) -> None:
    """The settings are a team's own: comments, order and line ends stay."""
    after = set_runtime_image(text.encode(), RUNTIME)

    assert runtime_image(after) == RUNTIME
    assert set_runtime_image(after, RUNTIME) == after
    new = [line for line in after.decode().splitlines(keepends=True) if line not in text.splitlines(keepends=True)]
    assert [line for line in new if not line.startswith("runtime_image:")] in ([], ["  - name: production  # users\n"])
    assert after.count(b"#") == text.count("#")


def test_settings_without_a_runtime_image_name_none() -> None:
    """So it was in every repository before there was one, and so it is on a laptop."""
    assert runtime_image(b"image_registry: layout:images\n") is None


@pytest.mark.parametrize("text", ["{image_registry: ghcr.io/acme}\n", "image_registry: ghcr.io/acme\nruntime: x\n"])
def test_settings_that_cannot_be_edited_by_one_line_are_refused(text: str) -> None:
    """A guess at what a person meant would be merged unread."""
    with pytest.raises(BadFile, match=r"slipway\.yaml"):
        set_runtime_image(text.encode(), RUNTIME)


def test_what_is_no_runtime_image_is_never_written() -> None:
    """The next command would refuse its own settings."""
    with pytest.raises(BadFile, match="a tag may be another image tomorrow"):
        set_runtime_image(b"image_registry: ghcr.io/acme\n", "ghcr.io/acme/runtime:v1")
