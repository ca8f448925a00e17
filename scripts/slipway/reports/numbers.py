"""How numbers are written, the same in every text."""

from __future__ import annotations

from slipway.domain.verdict import Estimate

NOTHING = "–"


def count(number: int) -> str:
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in per cent; a dash where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else NOTHING


def percent(share: float) -> str:
    """A share that a person wrote, with no more digits than that: 25 %, or 12.5 %."""
    return f"{100 * share:g} %"


def estimate(number: Estimate | None, *, digits: int = 2) -> str:
    """A number with its 95 % interval."""
    if number is None:
        return NOTHING
    return f"{number.value:.{digits}f} [{number.low:.{digits}f}, {number.high:.{digits}f}]"


def plain_value(number: float | None, *, digits: int = 2) -> str:
    return NOTHING if number is None else f"{number:.{digits}f}"


def amount(number: float) -> str:
    """A size in the unit of an answer, to four digits."""
    return f"{number:.4g}"


def answer(number: float | str | None) -> str:
    """What a model answered: a score, or the name of a class."""
    return number if isinstance(number, str) else plain_value(number, digits=3)


def points(change: float) -> str:
    """A change of a share, in percentage points."""
    return f"{100 * change:+.1f}"


def size(octets: int) -> str:
    """Decimal units, as registries count."""
    for unit, of in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if octets >= of:
            return f"{octets / of:.0f} {unit}" if octets >= 10 * of else f"{octets / of:.1f} {unit}"
    return f"{octets} bytes"


def short_digest(digest: str) -> str:
    """The first 12 of the hexadecimal digits: enough for people to tell two apart."""
    return digest.removeprefix("sha256:")[:12]
