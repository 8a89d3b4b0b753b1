"""The peer of P3: CAP's shape written down for pydantic-xml, as its documentation does it."""

from datetime import datetime

from pydantic_xml import BaseXmlModel, element

from adapters.cap.vocabulary import CAP_1_2

_NAMES = {"": CAP_1_2}


class Pair(BaseXmlModel, nsmap=_NAMES):
    """valueName and value."""

    name: str = element(tag="valueName")
    value: str = element(tag="value")


class Area(BaseXmlModel, nsmap=_NAMES):
    """One area; its polygons stay texts."""

    description: str = element(tag="areaDesc")
    polygons: list[str] = element(tag="polygon", default=[])
    circles: list[str] = element(tag="circle", default=[])
    geocodes: list[Pair] = element(tag="geocode", default=[])


class Info(BaseXmlModel, nsmap=_NAMES):
    """One info block."""

    language: str = element(tag="language", default="en-US")
    categories: list[str] = element(tag="category")
    event: str = element(tag="event")
    response_types: list[str] = element(tag="responseType", default=[])
    urgency: str = element(tag="urgency")
    severity: str = element(tag="severity")
    certainty: str = element(tag="certainty")
    event_codes: list[Pair] = element(tag="eventCode", default=[])
    effective: datetime | None = element(tag="effective", default=None)
    onset: datetime | None = element(tag="onset", default=None)
    expires: datetime | None = element(tag="expires", default=None)
    sender_name: str = element(tag="senderName", default="")
    headline: str = element(tag="headline", default="")
    description: str = element(tag="description", default="")
    instruction: str = element(tag="instruction", default="")
    web: str = element(tag="web", default="")
    contact: str = element(tag="contact", default="")
    parameters: list[Pair] = element(tag="parameter", default=[])
    areas: list[Area] = element(tag="area", default=[])


class Alert(BaseXmlModel, tag="alert", nsmap=_NAMES):
    """One alert."""

    identifier: str = element(tag="identifier")
    sender: str = element(tag="sender")
    sent: datetime = element(tag="sent")
    status: str = element(tag="status")
    message_type: str = element(tag="msgType")
    source: str = element(tag="source", default="")
    scope: str = element(tag="scope")
    codes: list[str] = element(tag="code", default=[])
    infos: list[Info] = element(tag="info", default=[])
