"""Columns for the property tests: smooth, with atoms, constant, tiny, huge, and all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

FloatArray = npt.NDArray[np.float64]

_SHAPES: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    "normal": lambda generator, size: generator.normal(size=size),
    "lognormal": lambda generator, size: generator.lognormal(sigma=2, size=size),
    "cauchy": lambda generator, size: generator.standard_cauchy(size),
    "hours": lambda generator, size: generator.integers(0, 24, size).astype(float),
    "minutes late": lambda generator, size: np.round(generator.gamma(2, 30, size)) - 10,
    "half zero": lambda generator, size: np.where(generator.random(size) < 0.5, 0.0, generator.normal(size=size)),
    "constant": lambda generator, size: np.full(size, 3.25),
}


@st.composite
def drawn_from_a_shape(draw: st.DrawFn, *, at_least: int = 1) -> FloatArray:
    """A few hundred values of a shape that features really have, moved and scaled."""
    shape = draw(st.sampled_from(sorted(_SHAPES)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(at_least, 900))
    scale, shift = draw(st.sampled_from([1.0, 1000.0, 1e-6, 1.609])), draw(st.sampled_from([0.0, 0.3, -5.0, 1e5]))
    return _SHAPES[shape](generator, size) * scale + shift


ANY_FLOATS = st.lists(
    st.one_of(st.floats(-1e9, 1e9, allow_subnormal=False), st.sampled_from([0.0, 1.0, 1.0000001, 7.0])),
    min_size=1,
    max_size=40,
).map(lambda values: np.array(values, np.float64))

NUMBERS = st.one_of(drawn_from_a_shape(), ANY_FLOATS)
