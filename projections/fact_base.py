"""What the facts of `facts.py` are made of."""

from datetime import datetime

from msgspec import Struct


class Fact(Struct, frozen=True, gc=False):
    """The part of an event that projections read."""

    at: datetime


class OfAgency(Fact, frozen=True, gc=False):
    """A fact of an agency's stream."""

    agency: str
    mode: str


class OfDistrict(Fact, frozen=True, gc=False):
    """A fact of a district's stream."""

    district: str
    mode: str
