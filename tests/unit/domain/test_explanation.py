"""The shape of what `slipway explain --json` prints, which other people's programs read."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.explanation import Event, Explanation, Moment, in_order
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.team import ROOT

_SECONDS = st.integers(0, 3)
_EVENTS = st.lists(
    st.builds(
        lambda what, second: Event(at=f"2026-03-01T12:00:0{second}+00:00", what=what), st.sampled_from(Moment), _SECONDS
    )
)


def test_the_shape_of_the_json_changes_only_on_purpose(snapshot: SnapshotAssertion) -> None:
    """A field that is renamed breaks programs that nobody here knows of; a new one is added to this file."""
    schema = json.loads(json.dumps(Explanation.model_json_schema(mode="serialization")))
    fields = {name: sorted(part["properties"]) for name, part in schema["$defs"].items() if "properties" in part}
    told = {"Explanation": sorted(schema["properties"]), **fields}

    assert told == snapshot.use_extension(JSONSnapshotExtension)


def test_each_field_is_documented() -> None:
    """Who writes a program against it reads no code of ours."""
    page = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")

    assert [name for name in Explanation.model_fields if f"`{name}`" not in page] == []


@given(events=_EVENTS)
def test_what_happened_in_one_second_is_in_the_order_of_a_release(events: list[Event]) -> None:
    """Git counts in seconds: a merge must not seem to come before its proposal."""
    ordered = in_order(events)

    life = list(Moment)
    keys = [(one.at, life.index(one.what)) for one in ordered]
    assert keys == sorted(keys)
    assert sorted(one.model_dump_json() for one in ordered) == sorted(one.model_dump_json() for one in events)


def test_an_offset_is_counted_in() -> None:
    """A tagger's clock is in another zone than the runner's."""
    earlier = Event(at="2026-03-01T13:00:00+02:00", what=Moment.JUDGED)
    later = Event(at="2026-03-01T12:00:00+00:00", what=Moment.TAGGED)

    assert in_order([later, earlier]) == (earlier, later)
