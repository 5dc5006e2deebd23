"""Numbers in words: as many digits as mean something."""
from __future__ import annotations

import math

MINUS = "−"


def number(value: float | None, digits: int = 3) -> str:
    """`value` with `digits` significant digits, thousands separated; "–" where there is none.

    Example:
        >>> number(1234567.8), number(0.012345), number(None), number(-0.5), number(1e-9)
        ('1,234,568', '0.0123', '–', '−0.5', '1e-09')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 10 ** (digits - 1):
        text = f"{size:,.0f}"
    elif size >= 1e-4:
        places = max(0, digits - 1 - math.floor(math.log10(size)))
        text = f"{size:.{places}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{size:.{digits}g}"
    return (MINUS if value < 0 else "") + text


def fixed(value: float | None, places: int = 3) -> str:
    """`value` with fixed decimal places, for columns and for scores between 0 and 1."""
    if value is None or not math.isfinite(value):
        return number(value)
    text = f"{abs(value):,.{places}f}"
    return (MINUS if value < 0 and float(text.replace(",", "")) else "") + text


def score(metric: str, value: float | None) -> str:
    """A metric for people: shares in per cent, scores with three places, errors in units with three digits."""
    if metric in ("accuracy", "balanced_accuracy"):
        return number(value) if value is None else f"{100 * value:.1f} %"
    if metric in ("rmse", "mae", "median_absolute_error"):
        return number(value, 4)
    if value is not None and metric in ("roc_auc", "average_precision", "f1", "r2") and 0.9995 <= value < 1:
        return "over 0.999"
    return fixed(value)


def percent(value: float | None, places: int = 1) -> str:
    """A share as "92.5 %"; never "100 %" or "0 %" for a share that only rounds to it.

    Example:
        >>> percent(0.925), percent(1.0), percent(0.9999), percent(0.9)
        ('92.5 %', '100 %', 'over 99.9 %', '90 %')
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{100 * value:.{places}f}"
    if float(text) == 100 and value < 1:
        return f"over {100 - 10**-places:g} %"
    if float(text) == 0 and value > 0:
        return f"under {10**-places:g} %"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS) + " %"


def seconds(value: float | None) -> str:
    """A duration.

    Example:
        >>> seconds(0.0123), seconds(4.26), seconds(75), seconds(7300)
        ('12 ms', '4.3 s', '1 min 15 s', '2 h 2 min')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value < 0.001:
        return "under 1 ms"
    if value < 0.9995:
        return f"{1000 * value:.0f} ms"
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = round(value / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def megabytes(value: float | None) -> str:
    """Memory, given in MB."""
    if value is None or not math.isfinite(value):
        return "–"
    if value >= 1000:
        return f"{value / 1000:.1f} GB"
    return f"{value:.0f} MB" if value >= 10 else f"{value:.1f} MB" if value >= 0.1 else "under 0.1 MB"


def count(value: int, noun: str, plural: str | None = None) -> str:
    """A number of things: "1 row", "2,000 rows"."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def listing(words: list[str] | tuple[str, ...]) -> str:
    """Words joined by commas and "and"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))
