"""Messages made for a test: one agency, one hazard, one level, some areas, for some minutes."""

from datetime import timedelta

from adapters.bench.p5_events import City
from domain.areas import Area
from domain.chains import Arrival
from domain.contributions import Statement, Wording
from domain.levels import Level
from domain.messages import AgencyMessage, MessageFormat, MessageType, Mode, Reference, Status

DISTRICT = "110101"
TOWN = "110101001"


def area(code: str) -> Area:
    within = (code[:6],) if len(code) > 6 else ()
    return Area(code=code, name=f"name of {code}", district=code[:6], within=within)


def arrival(
    city: City,
    identifier: str,
    *,
    agency: str = "meteo",
    hazard: str = "rainstorm",
    level: Level = Level.YELLOW,
    codes: tuple[str, ...] = (DISTRICT,),
    minutes: float | None = 60,
    kind: MessageType = MessageType.ALERT,
    of: str = "",
    mode: Mode = Mode.LIVE,
) -> Arrival:
    statement = Statement(
        hazard=hazard,
        level=level,
        areas=tuple(area(code) for code in codes),
        effective=city.now,
        expires=None if minutes is None else city.now + timedelta(minutes=minutes),
        wordings=(
            Wording(
                language="zh-CN",
                station=f"{agency} station",
                headline=f"headline {identifier}",
                description=f"text {identifier}",
                instruction=f"do {identifier}",
            ),
        ),
    )
    message = AgencyMessage(
        format=MessageFormat.CAP,
        sender=f"{agency}@example.org",
        identifier=identifier,
        sent=city.now,
        status=Status.ACTUAL if mode is Mode.LIVE else Status.EXERCISE,
        message_type=kind,
        references=(Reference(identifier=of, sender=f"{agency}@example.org"),) if of else (),
    )
    statements = () if kind is MessageType.CANCEL else (statement,)
    digest = f"digest of {identifier}"
    return Arrival(agency=agency, mode=mode, message=message, statements=statements, findings=(), raw_sha256=digest)
