"""How numbers, money and times are written for people: in tables, pages, spreadsheets and printed reports alike."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo


class Figure(str):
    """A number as people read it, which a spreadsheet can still count with unless it is infinite or none.

    A plain text everywhere else, so tables need not know it. `value` is the number and `form` its spreadsheet format.
    """

    value: float
    form: str


def figure(value: float, digits: int = 0) -> Figure:
    """1234.5 → "1,234.5" (with one digit); what rounds to nothing has no sign. Without end: "∞"; no number: "–"."""
    return _made(_written(value, f",.{digits}f"), value, "#,##0" + _decimals(digits))


def percent(share: float, digits: int = 0) -> Figure:
    """0.25 → "25%"."""
    return _made(_written(share, f".{digits}%"), share, "0" + _decimals(digits) + "%")


def change(value: float, digits: int = 0) -> Figure:
    """A difference, always with its sign: "+3.0", "-1.5", "0.0"."""
    form = "#,##0" + _decimals(digits)
    return _made(_written(value, f"+,.{digits}f"), value, f"+{form};-{form};{form}")


def money(currency: str, amount: float, digits: int = 0) -> Figure:
    found = figure(amount, digits)
    sign = currency.replace('"', "")  # it stands in quotes in the spreadsheet's format
    return _made(f"{currency} {found}", amount, f'"{sign}" {found.form}')


def moment(at: datetime, zone: tzinfo) -> str:
    """Date and time in a zone, without the year: for times within a plan."""
    return f"{at.astimezone(zone):%m-%d %H:%M}"


def full_moment(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _made(text: str, value: float, form: str) -> Figure:
    found = Figure(text)
    found.value, found.form = value, form
    return found


def _written(value: float, form: str) -> str:
    """A number in a form of Python's; what rounds to nothing has no sign."""
    if math.isnan(value):
        return "–"
    text = format(value, form)
    return text.replace("inf", "∞") if text.strip("+-0.,%") else text.lstrip("+-")


def _decimals(digits: int) -> str:
    return "." + "0" * digits if digits else ""
