"""Which carrier a number belongs to, by the numbering plan that phonenumbers carries.

A number that was taken along to another carrier is still told by its prefix: nothing public says where it went. Its
letter goes by the wrong carrier's route, which delivers it between carriers or refuses it.
"""

import re
from functools import cache, lru_cache
from typing import Final

import phonenumbers
from phonenumbers import carrier, carrierdata

_NO_NAME: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(65_536)
def carrier_of(number: str) -> str:
    """The carrier of an E.164 number, as `carrier_name` writes it; empty where the plan does not say."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return carrier_name(carrier.name_for_number(parsed, "en"))


def carrier_name(name: str) -> str:
    """A carrier's English name as a key: `China Mobile` becomes `china-mobile`."""
    return _NO_NAME.sub("-", name.lower()).strip("-")


@cache
def known_carriers() -> frozenset[str]:
    """Every carrier that a number can belong to, in any country."""
    return frozenset(carrier_name(names["en"]) for names in carrierdata.CARRIER_DATA.values() if "en" in names)
