"""Who looks at what, when there is more than one machine can look at in a night."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.upkeep import MOST_SHARDS, shard_of, shards_for

NAMES = st.from_regex(r"[a-z0-9]+(?:-[a-z0-9]+)*", fullmatch=True)
PLACES = st.sets(st.tuples(NAMES, NAMES), max_size=60)


@given(PLACES, PLACES)
def test_every_place_falls_to_one_shard_whatever_else_is_deployed(
    places: set[tuple[str, str]], more: set[tuple[str, str]]
) -> None:
    """A model that falls between two machines is never looked at, and nobody would notice."""
    shards = shards_for(len(places)) or 1
    shared_out = [[place for place in places if shard_of(*place, shards=shards) == one] for one in range(1, shards + 1)]
    later = {place: shard_of(*place, shards=shards) for place in places | more}

    assert sorted(place for share in shared_out for place in share) == sorted(places)
    assert all(later[place] == number for number, share in enumerate(shared_out, 1) for place in share)


@given(st.integers(0, 10_000))
def test_there_are_at_most_eight_shards_and_none_for_nothing(places: int) -> None:
    """Each is a machine that is set up anew; a matrix of none is an error on GitHub."""
    shards = shards_for(places)
    assert (shards == 0) == (places == 0)
    assert shards <= min(MOST_SHARDS, max(places, 1))
