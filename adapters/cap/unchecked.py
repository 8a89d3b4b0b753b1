"""Makes the domain's values without looking at every field a second time.

The reader has just made these fields out of strings, enumerations and times of its own, and the decoder in
`shapes.py` has made every vertex a pair of floats within range; validation would walk through all of it again and
copy every ring. It is what pydantic's `model_construct` does, with the defaults looked up once. Tests hold what is
made here against what validation makes of the same, on every message that the suite reads.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from domain.areas import AreaClaim, Geocode
from domain.messages import AgencyMessage, Info, Named, Reference, Resource
from domain.values import Value

Made = TypeVar("Made", bound=Value)


def _maker(made: type[Made]) -> Callable[[dict[str, Any]], Made]:
    """A function from fields to a value; fields left out get their defaults, and nothing is checked."""
    defaults = {name: field.default for name, field in made.model_fields.items() if not field.is_required()}
    new, set_attribute = made.__new__, object.__setattr__

    def make(values: dict[str, Any]) -> Made:
        value = new(made)
        set_attribute(value, "__dict__", {**defaults, **values})
        set_attribute(value, "__pydantic_fields_set__", set(values))
        set_attribute(value, "__pydantic_extra__", None)
        set_attribute(value, "__pydantic_private__", None)
        return value

    return make


def _pair_maker(made: type[Made]) -> Callable[[Iterable[tuple[str, str]]], tuple[Made, ...]]:
    """A function from names with their values to pairs: the smallest values and by far the most of them."""
    new, set_attribute, are_set = made.__new__, object.__setattr__, {"name", "value"}

    def make(pairs: Iterable[tuple[str, str]]) -> tuple[Made, ...]:
        values: list[Made] = []
        for name, text in pairs:
            value = new(made)
            set_attribute(value, "__dict__", {"name": name, "value": text})
            # One set for all: nothing that is frozen changes it, and copies make their own.
            set_attribute(value, "__pydantic_fields_set__", are_set)
            set_attribute(value, "__pydantic_extra__", None)
            set_attribute(value, "__pydantic_private__", None)
            values.append(value)
        return tuple(values)

    return make


named = _pair_maker(Named)
geocodes = _pair_maker(Geocode)
area_claim = _maker(AreaClaim)
reference = _maker(Reference)
resource = _maker(Resource)
info = _maker(Info)
agency_message = _maker(AgencyMessage)
