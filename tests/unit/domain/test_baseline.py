"""Which tags a baseline leaves behind for good, and that each of its moments can be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from semver import Version
from slipway.domain.baseline import Baseline
from slipway.domain.pages import Circumstances, Page, key_of, parse_page
from slipway.domain.tag import ReleaseTag

_NUMBERS = st.integers(0, 99)
_VERSIONS = st.builds(Version, _NUMBERS, _NUMBERS, _NUMBERS)


def _baseline(version: Version, *, above: tuple[str, ...] = (), **told: object) -> Baseline:
    image = {"image": f"sha256:{'a' * 64}", "onnx": None, **told}
    return Baseline.model_validate(
        {
            "model": "late",
            "version": f"v{version}",
            "environment": "production",
            "by": "Ada",
            "when": "2026-02-01T12:00:00+00:00",
            "commit": "c" * 40,
            "tags_above": above,
            **image,
        }
    )


@given(adopted=_VERSIONS, old=st.sets(_VERSIONS, max_size=6), new=_VERSIONS)
def test_a_tag_is_of_before_where_it_is_no_higher_or_was_there(
    adopted: Version, old: set[Version], new: Version
) -> None:
    """Dates and the order in which tags arrive decide nothing: a mirror that pushes them all anew releases none."""
    above = tuple(f"late@v{version}" for version in sorted(old) if version > adopted)
    baseline = _baseline(adopted, above=above)

    assert all(baseline.is_of_before(ReleaseTag("late", version)) for version in {*old, adopted})
    assert baseline.is_of_before(ReleaseTag("late", new)) == (new <= adopted or new in old)


def test_a_page_is_read_as_it_was_written() -> None:
    """It is read for years, by whoever asks what ran before the first release."""
    body = _baseline(Version(1, 2, 3))
    about = Circumstances(written_at="2026-02-01T12:00:00+00:00", seconds=1.0, host="laptop", slipway="0")
    page = Page[Baseline](
        kind="baseline", subject="late@v1.2.3", number=1, reads={}, key=key_of({}), body=body, circumstances=about
    )

    assert parse_page(Baseline, page.to_json(), where="ledger").body == body
    assert (body.is_opaque, body.release) == (True, ReleaseTag.parse("late@v1.2.3"))


@pytest.mark.parametrize("wrong", [{"image": "sha256:1234"}, {"image": "latest"}, {"onnx": "../model.onnx"}])
def test_what_is_no_digest_is_refused(wrong: dict[str, Any]) -> None:
    """They become paths and addresses."""
    with pytest.raises(ValidationError):
        _baseline(Version(1, 2, 3), **wrong)
