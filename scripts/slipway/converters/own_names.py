"""Which declared column is which of those that a program names itself."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.converters.job import Column
from slipway.errors import ConversionFailed


def in_order(kind: str, own: Sequence[str], declared: Sequence[Column]) -> tuple[Column, ...]:
    """The declared columns in the program's order: by their names or, where none of these agrees, as they come.

    Raises:
        ConversionFailed: they are as many as not, or some names agree and others do not.
    """
    by_name = {column.name: column for column in declared}
    if set(own) == set(by_name):
        return tuple(by_name[one] for one in own)
    if len(own) == len(declared) and not set(own) & set(by_name):
        return tuple(declared)
    raise ConversionFailed(
        f"the program has the {kind} {', '.join(own) or 'none'}; declared are {', '.join(by_name)}",
        mend=f"declare the {kind} in model.yaml by these names, or all by others in this order",
    )
