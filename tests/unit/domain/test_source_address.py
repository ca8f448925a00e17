"""Addresses of sources: which are taken, and what of them must not stand in a file that everybody reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.source_address import SCHEMES, SourceAddress, is_address

DIGEST = "a" * 64
GOOD = (
    f"https://models.example:8443/fraud/model.ubj#sha256={DIGEST}",
    "s3://bucket/fraud/v3",
    "gs://bucket/fraud/v3/model.ubj",
    "az://container/fraud",
    "hf://acme/fraud@v3/onnx",
    "oci://registry.example:5000/models/fraud:v3",
    f"oci://registry.example/models/fraud@sha256:{DIGEST}",
    "models:/fraud/3",
    "models:/fraud@champion",
    "runs:/0123abcd/model",
)


@pytest.mark.parametrize("text", GOOD)
def test_each_scheme_is_read_as_it_is_written(text: str) -> None:
    """The text is what is recorded, and what a person compares with model.yaml."""
    address = SourceAddress.parse(text)

    assert (str(address), address.scheme, is_address(text)) == (text, text.partition(":")[0], True)


def test_every_scheme_has_an_example_above() -> None:
    """One that joins later is read here, too."""
    assert {text.partition(":")[0] for text in GOOD} == set(SCHEMES)


@pytest.mark.parametrize("source", ["source", "source/model.ubj", "./model", "a:b"])
def test_a_path_is_no_address(source: str) -> None:
    """What a team has today goes on to mean a folder."""
    assert not is_address(source)


@pytest.mark.parametrize(
    "text",
    [
        f"https://ada:hunter2@models.example/model.ubj#sha256={DIGEST}",
        "s3://key:secret@bucket/fraud",
        f"https://store.example/model.ubj?X-Amz-Signature=abc#sha256={DIGEST}",
        f"https://store.example/model.ubj?sig=abc#sha256={DIGEST}",
        f"https://store.example/model.ubj?access_token=abc#sha256={DIGEST}",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    """model.yaml is read by everybody, and the refusal stands in a log."""
    with pytest.raises(ValueError, match="SLIPWAY_SOURCE_ENVIRONMENT") as caught:
        SourceAddress.parse(text)

    assert not any(secret in str(caught.value) for secret in ("hunter2", "abc", "key:secret"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://models.example/model.ubj", "sha256="),
        ("https://models.example/model.ubj#sha256=abc", "sha256="),
        ("http://models.example/model.ubj", "one of https://"),
        ("file:///etc/passwd", "one of https://"),
        ("s3://bucket", "s3://bucket/fraud/v3"),
        ("s3:/bucket/key", "s3://bucket/fraud/v3"),
        ("s3://bucket/../other", "goes down only"),
        ("gs://bucket/with space", "no space"),
        ("models://server/fraud/3", "MLFLOW_TRACKING_URI"),
        ("runs:/../../etc", "runs:/RUN_ID/model"),
    ],
)
def test_half_an_address_is_refused_with_a_whole_one(text: str, words: str) -> None:
    """Whoever wrote it reads how it is written."""
    with pytest.raises(ValueError, match=re.escape(words)):
        SourceAddress.parse(text)


def test_an_unknown_scheme_is_named_without_what_follows_it() -> None:
    """Behind it may stand a password, too."""
    with pytest.raises(ValueError, match="`ftp:`") as caught:
        SourceAddress.parse("ftp://ada:hunter2@store.example/model")

    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=80), st.sampled_from([*SCHEMES, "file", "ftp"]), st.sampled_from([":/", "://", ":"]))
def test_whatever_is_written_is_read_or_refused_by_a_sentence(rest: str, scheme: str, mark: str) -> None:
    """A traceback about an address would be no answer to who misspelt it."""
    text = f"{scheme}{mark}{rest}"
    try:
        address = SourceAddress.parse(text)
    except ValueError as error:
        assert str(error)
    else:
        assert str(address) == text and address.scheme in SCHEMES
