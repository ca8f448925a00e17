"""A piece of the served log as arrays that can be counted: the features of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyarrow as pa

from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.maths import arrow_batches
from slipway.maths.arrow_batches import AskedColumn
from slipway.maths.windows import ServedBatch


def to_batch(table: pa.Table, features: Sequence[Feature]) -> ServedBatch:
    """Each feature's values, as `slipway.maths.arrow_batches` reads them."""
    return arrow_batches.to_batch(table, columns_of(features))


def columns_of(features: Sequence[Feature]) -> tuple[AskedColumn, ...]:
    return tuple(
        AskedColumn(feature.name, math.prod(feature.shape), feature.dtype is DataType.STRING) for feature in features
    )
