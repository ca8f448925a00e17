"""A canary comes into a manifest by lines of its own, and leaves no trace when these go."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.manifests import (
    CANARY_COMPONENT,
    Deployed,
    canary_of,
    deployed,
    has_canary_component,
    new_manifest,
    set_canary,
    set_image,
    without_canary,
)
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile

OLD, NEW = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"
CANARY = {"name": "tip", "new_name": "r.example:5000/tip", "tag": "v1.1.0", "digest": NEW}
WANTED = Deployed("tip", "r.example:5000/tip", "v1.1.0", NEW)


def stable() -> bytes:
    new = new_manifest("tip", environment="production", engine=RolloutEngine.KUBERNETES)
    return set_image(new, name="tip", new_name="r.example:5000/tip", tag="v1.0.0", digest=OLD)


def test_a_canary_is_five_lines_more_and_the_stable_version_stays() -> None:
    """A reviewer reads what comes beside what runs, and that what runs is not touched."""
    after = set_canary(stable(), **CANARY)

    assert deployed(after, name="tip") == deployed(stable(), name="tip")
    assert canary_of(after, name="tip") == WANTED
    assert [line for line in after.splitlines() if line not in stable().splitlines()] == [
        b"components: [../../base/canary]",
        b"  - name: model_canary",
        b"    newTag: v1.1.0",
        f"    digest: {NEW}".encode(),
    ]
    assert after.count(b"    newName: r.example:5000/tip") == 2


def test_a_manifest_without_a_canary_names_none() -> None:
    """Most do, most of the time."""
    assert canary_of(stable(), name="tip") is None
    assert not has_canary_component(stable())
    assert without_canary(stable(), name="tip") == stable()


def test_the_same_canary_again_changes_no_byte() -> None:
    """A rerun must not make a commit."""
    once = set_canary(stable(), **CANARY)
    assert set_canary(once, **CANARY) == once


def test_a_newer_version_takes_the_place_of_a_canary() -> None:
    """There is one canary: two would share out what none of them was judged for."""
    both = set_canary(set_canary(stable(), **CANARY), **(CANARY | {"tag": "v1.2.0", "digest": OLD}))
    assert both == set_canary(stable(), **(CANARY | {"tag": "v1.2.0", "digest": OLD}))


def test_nothing_takes_a_share_of_nothing() -> None:
    """The first release of an environment has no version beside it that answers the rest."""
    with pytest.raises(BadFile, match=r"deploys nothing of tip") as caught:
        set_canary(new_manifest("tip", environment="production", engine=RolloutEngine.FLUX), **CANARY)
    assert "all of the traffic" in str(caught.value)


_IMAGES = (
    "images:\n- name: tip\n  newTag: v1.0.0 # read by people\n  digest: {digest}  # runs\n",
    "images:\n  # ours\n  - newTag: v1.0.0\n    name: tip\n    digest: {digest}\n  # theirs\n  - name: other\n",
    "images:\n  - name: other\n    newTag:\n  - {{name: tip, newTag: v1.0.0, digest: '{digest}'}} # m\n",
    "images: [{{name: tip, newTag: v1.0.0, digest: '{digest}'}}] # m\n",
    "images: [{{name: other}}, {{name: tip, newTag: v1.0.0,\n  digest: '{digest}'}}, {{name: third}}]\n",
)
_COMPONENTS = (
    "",
    "components: [../../mine]   # ours\n",
    "components:\n- ../../mine # ours\n",
    "components:\n    # a\n    - ../../mine\n    - b   # b\n    # c\n",
)
_RESOURCES = ("", "resources: [../../base]  # the base\n", "resources:\n  - ../../base # b\n  # more to come\n")


@given(
    images=st.sampled_from(_IMAGES),
    components=st.sampled_from(_COMPONENTS),
    resources=st.sampled_from(_RESOURCES),
    order=st.permutations([0, 1, 2, 3]),
    newline=st.sampled_from(["\n", "\r\n"]),
    comment=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff")),
)
def test_a_canary_that_is_withdrawn_leaves_every_byte_as_it_was(
    *, images: str, components: str, resources: str, order: list[int], newline: str, comment: str
) -> None:
    """Whatever a team writes, and in whatever form: the way back is the file of before."""
    parts = [images.format(digest=OLD), components, resources, f"# {comment}\n\nnamePrefix: tip-\n"]
    before = "".join(parts[at] for at in order).replace("\n", newline).encode()

    after = set_canary(before, **CANARY)

    assert canary_of(after, name="tip") == WANTED
    assert deployed(after, name="tip") == deployed(before, name="tip")
    assert has_canary_component(after)
    told, was = yaml.safe_load(after), yaml.safe_load(before)
    assert [one for one in told["images"] if one["name"] != "model_canary"] == was["images"]
    assert [one for one in told["components"] if one != CANARY_COMPONENT] == was.get("components", [])
    assert after.count(b"\r") == (after.count(b"\n") if newline == "\r\n" else 0)
    assert without_canary(after, name="tip") == before


@pytest.mark.parametrize("components", ["components: []\n", "components: # none\n"])
def test_an_empty_list_of_components_is_filled(components: str) -> None:
    """So it stands where somebody took the last one out."""
    after = set_canary(stable() + components.encode(), **CANARY)

    assert has_canary_component(after)
    assert without_canary(after, name="tip") == stable()


@pytest.mark.parametrize(
    "text",
    [
        f"{{images: [{{name: tip, digest: '{OLD}'}}]}}\n",
        f"images:\n- name: tip\n  digest: {OLD}\n-\n  name: model_canary\n  digest: {NEW}\n",
        f"images:\n- name: tip\n  digest: {OLD}\ncomponents: 1\n",
        f"images:\n- &tip\n  name: tip\n  digest: {OLD}\n- *tip\n",
    ],
)
def test_a_form_that_cannot_be_edited_safely_is_refused(text: str) -> None:
    """Better a person's edit than a wrong one of ours."""
    with pytest.raises(BadFile):
        without_canary(set_canary(text.encode(), **CANARY), name="tip")
