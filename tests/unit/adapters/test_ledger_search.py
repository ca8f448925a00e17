"""A digest or a number leads to the releases that have it, whatever else lies in the ledger."""

from __future__ import annotations

import json

import pytest
from slipway.adapters import ledger_search
from slipway.adapters.forge import Forge
from slipway.adapters.ledger import Ledger
from slipway.domain.explanation import FoundAs

_ONE, _OTHER = f"sha256:{'a' * 60}0001", f"sha256:{'a' * 60}0002"


def page(**body: object) -> bytes:
    return json.dumps({"body": body}).encode()


@pytest.fixture
def ledger(forge: Forge) -> Ledger:
    found = Ledger(forge)
    found.append(
        {
            "tip/v1.0.0/image.1.json": page(digest=_ONE, layer_digest=f"sha256:{'c' * 64}"),
            "tip/v1.0.0/image.2.json": page(digest=_ONE, layer_digest=f"sha256:{'c' * 64}"),
            "tip/v1.0.0/conversion.1.json": page(onnx={"sha256": "d" * 64}),
            "tip/v1.0.0_r2/conversion.1.json": page(onnx={"sha256": "d" * 64}),
            "tip/v1.0.0/proposal.1.json": page(pull=1, decided=None),
            "tip/v1.1.0/proposal.1.json": page(pull=None, decided=2),
            "tip/v1.1.0/issue.1.json": page(number=4),
            "soup/v1.0.0/image.1.json": page(digest=_OTHER),
            "soup/v1.0.0/baseline.1.json": page(image=None, onnx="e" * 64),
            "soup/production/incidents/2026-03-01-drift/window.1.json": page(window={"version": "v1.0.0"}),
            "soup/production/incidents/2026-03-01-drift/window.10.json": page(window={"version": "v9.0.0"}),
            "soup/production/incidents/2026-03-01-drift/window.2.json": page(window={"version": "v8.0.0"}),
            "soup/production/incidents/2026-03-01-drift/issue.1.json": page(number=5),
            "soup/production/incidents/2026-03-02-requested-v2.0.0-v1.0.0/reversion.1.json": page(
                model="soup", version="v2.0.0", pull=6
            ),
            "soup/v3.0.0/image.1.json": b"this is no page",
            "soup/v3.0.1/image.1.json": json.dumps({"body": None}).encode(),
        },
        message="Record",
    )
    return found


def test_a_whole_digest_leads_to_one_release_however_often_it_was_written(ledger: Ledger) -> None:
    """A release that was run again has its image on two pages."""
    (found,) = ledger_search.by_digest(ledger, _ONE.removeprefix("sha256:"))

    assert (str(found.tag), found.found_as, found.where) == ("tip@v1.0.0", FoundAs.IMAGE, "tip/v1.0.0/image.1.json")


@pytest.mark.parametrize(
    ("digits", "releases"),
    [
        ("a" * 8, ["soup@v1.0.0", "tip@v1.0.0"]),
        ("c" * 12, ["tip@v1.0.0"]),
        ("d" * 64, ["tip@v1.0.0", "tip@v1.0.0_r2"]),
        ("e" * 64, ["soup@v1.0.0"]),
        ("f" * 8, []),
    ],
)
def test_a_prefix_leads_to_all_that_begin_so(ledger: Ledger, digits: str, releases: list[str]) -> None:
    """The first that fits would be told as if it were the only one."""
    assert [str(one.tag) for one in ledger_search.by_digest(ledger, digits)] == releases


@pytest.mark.parametrize(
    ("number", "release", "found_as"),
    [
        (1, "tip@v1.0.0", FoundAs.PULL),
        (2, "tip@v1.1.0", FoundAs.PULL),  # that a person closed
        (4, "tip@v1.1.0", FoundAs.ISSUE),
        (5, "soup@v1.0.0", FoundAs.ISSUE),
        (6, "soup@v2.0.0", FoundAs.WAY_BACK),
    ],
)
def test_a_number_leads_to_what_it_is_about(ledger: Ledger, number: int, release: str, found_as: FoundAs) -> None:
    """Pull requests and issues share their numbers, and a reader has the number alone."""
    assert [(str(one.tag), one.found_as) for one in ledger_search.by_number(ledger, number)] == [(release, found_as)]


def test_a_version_leads_to_every_model_that_has_it(ledger: Ledger) -> None:
    """`v1.0.0` alone is the name of as many releases as there are models."""
    assert [str(tag) for tag in ledger_search.by_version(ledger, "v1.0.0")] == ["soup@v1.0.0", "tip@v1.0.0"]
    assert [str(tag) for tag in ledger_search.by_version(ledger, "v1.0.0_r2")] == ["tip@v1.0.0_r2"]
    assert ledger_search.by_version(ledger, "v0.0.1") == ()


def test_an_empty_ledger_has_nothing(forge: Forge) -> None:
    """A repository before its first release is no defect."""
    assert ledger_search.by_digest(Ledger(forge), "a" * 8) == ()
    assert ledger_search.by_number(Ledger(forge), 1) == ()
    assert ledger_search.by_version(Ledger(forge), "v1.0.0") == ()
