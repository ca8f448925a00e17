"""Pages: keyed by what was read, and refused in words where they cannot be."""

from __future__ import annotations

import json
from random import Random
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.pages import SCHEMA, Body, Circumstances, Page, digest_of, key_of, parse_page
from slipway.errors import BadFile, NewerSchema, SlipwayError


class Weather(Body):
    kind: ClassVar[str] = "weather"

    degrees: float


class Tide(Body):
    kind: ClassVar[str] = "tide"

    metres: float


def page(degrees: float = 20.0, *, number: int = 1, host: str = "here") -> Page[Weather]:
    reads = {"thermometer": "sha256:1"}
    return Page[Weather](
        kind="weather",
        subject="monday",
        number=number,
        reads=reads,
        key=key_of(reads),
        body=Weather(degrees=degrees),
        circumstances=Circumstances(written_at="2026-01-01T00:00:00+00:00", seconds=1.0, host=host, slipway="0.1.0"),
    )


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(page().to_json()), **fields}).encode()


@given(reads=st.dictionaries(st.text(), st.text(), max_size=5), seed=st.randoms())
def test_a_key_does_not_depend_on_an_order(reads: dict[str, str], seed: Random) -> None:
    """Or a dict built in another order would bring everything to be measured again."""
    items = list(reads.items())
    seed.shuffle(items)

    assert key_of(dict(items)) == key_of(reads)


@given(reads=st.dictionaries(st.text(), st.text(), min_size=1, max_size=4), other=st.text())
def test_another_input_is_another_key(reads: dict[str, str], other: str) -> None:
    """A stored page of other inputs is a wrong answer."""
    name = next(iter(reads))
    different = {**reads, name: reads[name] + other}

    assert (key_of(different) == key_of(reads)) is (other == "")


def test_a_page_reads_as_it_was_written() -> None:
    """The ledger outlives every process."""
    assert parse_page(Weather, page().to_json(), where="x") == page()


def test_pages_of_two_machines_say_the_same() -> None:
    """Host, hour and number are told, and compared by nobody."""
    assert page(host="here").says_the_same_as(page(host="there", number=2))
    assert not page(20.0).says_the_same_as(page(21.0))


def test_a_page_of_a_newer_schema_is_refused_in_plain_words() -> None:
    """An old checkout must not guess what a newer Slipway meant; even where it has unknown fields."""
    with pytest.raises(NewerSchema) as caught:
        parse_page(Weather, changed(schema_version=SCHEMA + 1, moon="full"), where="weather.1.json")

    assert caught.value.problem == f"weather.1.json has schema {SCHEMA + 1}; this Slipway reads up to {SCHEMA}"
    assert caught.value.mend == (
        "update Slipway in this repository (docs/upgrade.md, `cruft update`), then run the step again"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"a": ' * 5_000, "is no JSON"),
        (b"[1, 2]", "holds no JSON object"),
        (b"null", "holds no JSON object"),
        (b"{}", "kind: Field required"),
        (changed(body={}), "body.degrees: Field required"),
        (changed(body={"degrees": "warm"}), "body.degrees: "),
        (changed(more=1), "more: Extra inputs are not permitted"),
        (changed(schema_version="new"), "schema_version: "),
        (changed(kind="tide"), "is a page `tide`, not `weather`"),
    ],
)
def test_what_is_no_page_is_named_with_its_field(content: bytes, says: str) -> None:
    """A half-written or edited file is found before it is believed."""
    with pytest.raises(BadFile) as caught:
        parse_page(Weather, content, where="weather.1.json")

    assert caught.value.problem.startswith("weather.1.json")
    assert says in caught.value.problem


@given(content=st.binary(max_size=200))
def test_garbage_is_never_a_traceback(content: bytes) -> None:
    """Disks, editors and merges leave anything in a file."""
    with pytest.raises(SlipwayError):
        parse_page(Weather, content, where="x")


@given(
    fields=st.dictionaries(
        st.sampled_from(sorted(Page.model_fields)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_page_with_any_field_replaced_is_read_or_refused(fields: dict[str, object]) -> None:
    """There is no third way."""
    try:
        parse_page(Weather, changed(**fields), where="x")
    except SlipwayError as error:
        assert error.mend


def test_a_page_of_another_kind_is_not_taken_for_it() -> None:
    """Both may be valid JSON of the right form."""
    with pytest.raises(BadFile):
        parse_page(Tide, page().to_json(), where="x")


def test_a_digest_names_its_algorithm() -> None:
    """So that it can be compared with what registries and git say."""
    assert digest_of(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
