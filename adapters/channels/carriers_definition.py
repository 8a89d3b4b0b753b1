"""How routes are chosen by a number's carrier, as `connections.toml` describes it. Nothing is opened here."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from adapters.channels.gateway_definition import RouteId
from domain.messages import Mode
from domain.values import Value

CarrierName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Order = Annotated[tuple[RouteId, ...], Field(min_length=1)]


class CarriersDefinition(Value):
    """One `[[channels]]` entry of kind `carriers`: which other routes a letter may take, in which order.

    Keys of `carriers` are carriers' English names in small letters with hyphens, such as `china-mobile`.
    """

    id: RouteId
    kind: Literal["carriers"] = "carriers"
    mode: Mode = Mode.LIVE
    carriers: dict[CarrierName, Order] = Field(default_factory=dict)
    default: Order
    first_wait_seconds: Annotated[float, Field(gt=0, le=600)] = 1.0
    longest_wait_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0

    @property
    def members(self) -> tuple[str, ...]:
        """Every route that is named, each once."""
        named = [route for order in (*self.carriers.values(), self.default) for route in order]
        return tuple(dict.fromkeys(named))

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for order in (*self.carriers.values(), self.default):
            if len(set(order)) < len(order):
                raise ValueError(f"a route is named twice in {', '.join(order)}")
        if self.id in self.members:
            raise ValueError("it names itself as a route")
        return self
