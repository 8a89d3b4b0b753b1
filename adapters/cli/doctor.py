"""`outlet doctor`: whether everything that the outlet stands on is sound."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import typer

from adapters.cli import doctor_kafka as kafka
from adapters.cli import doctor_stores as stores
from adapters.cli.common import REFUSED, JsonOption, errors_as_sentences, globals_of, print_json
from adapters.cli.looks import print_table, verdict_text
from adapters.cli.signing import signing_looks_sound
from adapters.clocks import SystemClock
from adapters.gazetteer.from_policy import gazetteer_of
from adapters.policies import catalogues
from adapters.settings import Settings
from adapters.wiring import NothingHereError, has_outlet, opened_log, opened_tables
from domain.policy import parse_policy
from domain.ports import EventLog, RecordedEvent
from projections import PROJECTIONS
from projections.parked import EVENT, parked
from streams.adoption import adopted_policy

LEAST_FREE_BYTES: Final = 256 * 1024 * 1024
"""Below this the outlet may soon be unable to record what it is told."""

CLOCK_TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str


def doctor(context: typer.Context, *, json: JsonOption = False) -> None:
    """Examine the data directory, the databases, the policy, the places, the clock. Exit code 1 if anything fails."""
    with errors_as_sentences():
        checks = _examined(globals_of(context).settings())
    healthy = all(check.ok for check in checks)
    if json:
        found = [{"check": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
        print_json({"healthy": healthy, "checks": found})
    else:
        verdicts = [verdict_text("ok" if check.ok else "FAIL", is_good=check.ok) for check in checks]
        rows = [(check.name, verdict, check.detail) for check, verdict in zip(checks, verdicts, strict=True)]
        print_table(("check", "verdict", "detail"), rows)
    if not healthy:
        raise typer.Exit(REFUSED)


Look = Callable[[Settings], tuple[bool, str]]


def _examined(settings: Settings) -> list[Check]:
    """Everything that can be looked at: where the server is away, each look at it would wait for it once more.

    Raises:
        NothingHereError: nobody has made an outlet here.
    """
    if settings.database_url is None:
        if not settings.log_path.is_file():
            raise NothingHereError(settings.data_dir)
        looks = {**MACHINE, **FILES, **OUTLET}
    else:
        server = _carried_out("PostgreSQL", stores.server_is_usable, settings)
        if not server.ok:
            return [*(_carried_out(name, look, settings) for name, look in MACHINE.items()), server]
        if not has_outlet(settings):
            raise NothingHereError(settings.data_dir)
        looks = {**MACHINE, **SERVER, **OUTLET, **(CARRIED if settings.kafka is not None else {})}
    return [_carried_out(name, look, settings) for name, look in looks.items()]


def _carried_out(name: str, look: Look, settings: Settings) -> Check:
    """One look; whatever breaks in it is its finding, and the other looks go on."""
    try:
        ok, detail = look(settings)
    except Exception as error:
        return Check(name, ok=False, detail=f"{type(error).__name__}: {error}")
    return Check(name, ok, detail)


def _data_directory(settings: Settings) -> tuple[bool, str]:
    probe = settings.data_dir / f".doctor-{os.getpid()}"
    probe.write_bytes(b"")
    probe.unlink()
    return True, f"{settings.data_dir} is writable"


def _disk(settings: Settings) -> tuple[bool, str]:
    free = shutil.disk_usage(settings.data_dir).free
    return free >= LEAST_FREE_BYTES, f"{free // 1024**2} MiB free, {LEAST_FREE_BYTES // 1024**2} MiB are needed"


def _policy(settings: Settings) -> tuple[bool, str]:
    with closing(opened_log(settings, may_create=False)) as log:
        adopted = adopted_policy(log)
    if adopted is None:
        return False, "no policy has been adopted"
    policy = parse_policy(adopted.text, catalogues())
    what = f"{len(policy.agencies)} agencies, {len(policy.hazards)} hazards"
    return True, f"{policy.outlet.id}, {what}, SHA-256 {policy.sha256[:12]}"


def _gazetteer(settings: Settings) -> tuple[bool, str]:
    with closing(opened_log(settings, may_create=False)) as log:
        adopted = adopted_policy(log)
    if adopted is None:
        return False, "no policy has been adopted"
    places = parse_policy(adopted.text, catalogues()).gazetteer
    known = {area.code for area in gazetteer_of(places, beside=settings.data_dir).districts()}
    missing = [code for code in places.districts if code not in known]
    if missing:
        return False, f"unknown districts: {', '.join(missing)}"
    return True, f"{len(known)} districts, all of the policy's among them"


def _projections(settings: Settings) -> tuple[bool, str]:
    with closing(opened_log(settings, may_create=False)) as log, closing(opened_tables(settings)) as tables:
        tables.prepare(PROJECTIONS)
        head = log.head()
        behind = {projection.name: head - tables.position(projection.name) for projection in PROJECTIONS}
    if any(behind.values()):
        late = ", ".join(f"{name} {count}" for name, count in behind.items() if count)
        return True, f"head {head}; behind, to be caught up by the next command: {late}"
    return True, f"all at the log's head, {head}"


def _parked(settings: Settings) -> tuple[bool, str]:
    with closing(opened_tables(settings)) as tables:
        tables.prepare(PROJECTIONS)
        items = parked(tables, now=SystemClock().now())
    defects = sum(item.kind == EVENT for item in items)
    return defects == 0, f"{len(items)} parked, {defects} of them by a defect of a stage (see `outlet parked`)"


def _clock(settings: Settings) -> tuple[bool, str]:
    with closing(opened_log(settings, may_create=False)) as log:
        newest = max((recorded.event.at for recorded in _last(log)), default=None)
    now = SystemClock().now()
    if newest is not None and newest > now + CLOCK_TOLERANCE:
        return False, f"it is {now.isoformat(timespec='seconds')}, yet the log has an event of {newest.isoformat()}"
    started = datetime.fromtimestamp(Path(__file__).stat().st_mtime, now.tzinfo)
    if started > now + CLOCK_TOLERANCE:
        return False, f"it is {now.isoformat(timespec='seconds')}, before this program was installed"
    return True, f"it is {now.isoformat(timespec='seconds')}, after everything that is recorded"


def _last(log: EventLog) -> Iterator[RecordedEvent]:
    """The newest events; a replay of the past may have come after what is latest by the clock."""
    yield from log.read(after=max(0, log.head() - 100))


MACHINE: Final[dict[str, Look]] = {
    "data directory": _data_directory,
    "disk space": _disk,
}

FILES: Final[dict[str, Look]] = {
    "SQLite": stores.sqlite_is_new_enough,
    "durability": stores.file_is_durable,
    "event log": stores.file_is_whole,
}

SERVER: Final[dict[str, Look]] = {
    "PostgreSQL": stores.server_is_usable,
    "durability": stores.server_is_durable,
    "event log": stores.log_has_no_gap,
}

CARRIED: Final[dict[str, Look]] = {
    "Kafka": kafka.topics_are_as_declared,
    "relay": kafka.relay_keeps_up,
    "merging": kafka.every_district_is_merged,
}

OUTLET: Final[dict[str, Look]] = {
    "policy": _policy,
    "places": _gazetteer,
    "projections": _projections,
    "parked": _parked,
    "outbox": stores.outbox_fits_the_log,
    "vault": stores.vault_can_be_opened,
    "clock": _clock,
    "signing": signing_looks_sound,
}
