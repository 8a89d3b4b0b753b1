"""S3: whatever lies outside an agency's remit is refused with its reason, and nothing of it reaches the public.

All combinations go through the intake stage in process, a sample of them over HTTP. Then everything that the public
can read is read: the board, every release in each form, the Atom feed and the stream from its start. What lies within
the remit must have come through: an outlet that refuses all would pass otherwise.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domain.events import ContributionsChanged, MessageAccepted, OutletRevised, WarningReleased
from domain.messages import Mode
from streams.intake import Delivery, Outcome, Receipt
from tests.adapters.http.outlets import Outlet, outlet_at
from tests.adapters.http.public.listening import listening
from tests.figures.figure import Figure, Progress
from tests.figures.s3_cases import CONTROL_MARK, SECRET_MARK, Case, combinations, controls, tricks
from tests.figures.s3_policy import OWN, hazard_codes, real_boundaries, speakers, write_policy
from tests.figures.s3_shapes import bent_shapes, near_real_borders, outside_all, rectangles
from tests.streams.messages import at

PROMISE = "nothing outside an agency's remit reaches the public, and each such message is refused with its reason"
BATCH = 500
CONTROL_BATCH = 10
FORMS = ("application/json", "application/cap+xml", "application/xml")


@dataclass(frozen=True)
class Size:
    """Each how many-th combination is posted, how many shapes, and each how many-th refused case goes over HTTP."""

    every: int
    shapes: int
    over_http_every: int
    seed: int = 1


@dataclass
class _Run:
    """One outlet, what is posted to it, and what is found."""

    outlet: Outlet
    figure: Figure
    size: Size
    progress: Progress
    done: int = 0
    keys: dict[str, str] = field(default_factory=dict)

    def post(self, cases: Iterable[Case], of: int, what: str) -> None:
        """Post these through the intake stage, and a sample of the refused ones over HTTP as well."""
        batch: list[Case] = []
        for case in cases:
            batch.append(case)
            if len(batch) == BATCH:
                self._post_batch(batch, of, what)
                batch = []
        if batch:
            self._post_batch(batch, of, what)

    def _post_batch(self, batch: Sequence[Case], of: int, what: str) -> None:
        deliveries = [Delivery(case.content, case.agency, f"s3#{place}") for place, case in enumerate(batch)]
        receipts = self.outlet.platform.runner.submit(deliveries)
        for case, receipt in zip(batch, receipts, strict=True):
            self._judge(case, receipt, what)
            if not case.is_control and self.done % self.size.over_http_every == 0:
                self._post_over_http(case)
            self.done += 1
        self.progress(self.done, of, what)

    def _judge(self, case: Case, receipt: Receipt, what: str) -> None:
        codes = frozenset(str(found.code.value) for found in receipt.findings if found.refuses)
        if case.is_control:
            self.figure.count(f"{what}: within the remit")
            self.figure.must(receipt.outcome is Outcome.ACCEPTED, f"{case.name} was {receipt.outcome}: {set(codes)}")
            return
        self.figure.count(f"{what}: outside the remit")
        for code in sorted(codes):
            self.figure.count(f"refused: {code}")
        self.figure.must(receipt.outcome is Outcome.REJECTED, f"{case.name} was {receipt.outcome}")
        self.figure.must(codes in case.codes, f"{case.name} was refused for {set(codes)}, not {case.codes}")

    def _post_over_http(self, case: Case) -> None:
        key = self.keys.setdefault(case.agency, self.outlet.key(case.agency))
        answer = self.outlet.post(case.content, agency=case.agency, key=key, kind="application/json")
        document: Mapping[str, Any] = answer.json()
        codes = frozenset(found["code"] for found in document.get("findings", ()))
        self.figure.count("outside the remit over HTTP")
        self.figure.must(answer.status_code == 422, f"{case.name} was answered {answer.status_code} over HTTP")
        self.figure.must(codes in case.codes, f"{case.name} was answered {set(codes)} over HTTP, not {case.codes}")


def measure(folder: Path, size: Size, progress: Progress, shared: Path | None = None) -> Figure:
    """Post everything to an outlet with made-up boundaries; shapes to one more, and to one with the real boundaries."""
    figure = Figure("S3", PROMISE)
    policy = write_policy(folder / "policy")
    every_speaker = speakers(policy)
    narrow, wide = (next(one for one in every_speaker if one.id == name) for name in ("narrow", "emergency"))
    hazards = hazard_codes()
    with outlet_at(folder / "data", policy=str(policy)) as outlet:
        run = _Run(outlet, figure, size, progress)
        total = sum(1 for _ in combinations(every_speaker, hazards, size.every))
        run.post(combinations(every_speaker, hazards, size.every), total, "combinations")
        run.post(tricks(every_speaker), run.done, "tricks")
        run.post(outside_all(narrow, wide), run.done, "just outside all")
        run.post(bent_shapes(narrow), run.done, "bent shapes")
        _reaches_nobody(figure, outlet)
        for case in controls(every_speaker, hazards, size.every):
            run.post([case], run.done, "controls")
            if run.done % CONTROL_BATCH == 0:
                outlet.platform.runner.pump()
        _only_controls_are_public(figure, outlet)
    made_up = (case for case, _ in rectangles(narrow, size.seed, size.shapes))
    _post_shapes(folder / "shapes", policy, made_up, "rectangles", _Shapes(figure, size, progress))
    if shared is None:
        figure.counts["real boundaries"] = "left out: the shared data is not here"
        return figure
    policy = write_policy(folder / "real", real_boundaries(shared))
    real = near_real_borders(narrow, shared, size.seed, size.shapes)
    _post_shapes(folder / "real-data", policy, real, "real borders", _Shapes(figure, size, progress))
    return figure


@dataclass(frozen=True)
class _Shapes:
    figure: Figure
    size: Size
    progress: Progress


def _post_shapes(folder: Path, policy: Path, cases: Iterable[Case], what: str, with_: _Shapes) -> None:
    """Thousands of shapes for one district: what they lead to is read off the intake; merging them shows no more."""
    with outlet_at(folder, policy=str(policy)) as outlet:
        size = replace(with_.size, over_http_every=sys.maxsize)
        _Run(outlet, with_.figure, size, with_.progress).post(cases, size.shapes, what)
        _only_own_district(with_.figure, outlet, what)


def _reaches_nobody(figure: Figure, outlet: Outlet) -> None:
    """Up to here nothing was within a remit: the log must hold nothing but refusals."""
    outlet.platform.runner.pump()
    reaching = (MessageAccepted.TOPIC, ContributionsChanged.TOPIC, OutletRevised.TOPIC, WarningReleased.TOPIC)
    found = [topic for topic in outlet.topics() if topic in reaching]
    figure.counts["events of refused messages that reach further"] = len(found)
    figure.must(not found, f"refused messages led to {found[:5]}")


def _only_own_district(figure: Figure, outlet: Outlet, what: str) -> None:
    """Whatever the agency of one district said, it was heard in no other district."""
    heard = {
        contribution.district
        for recorded in outlet.platform.log.read()
        if isinstance(recorded.event, ContributionsChanged) and recorded.event.agency == "narrow"
        for contribution in recorded.event.entered
    }
    figure.must(heard <= {OWN}, f"{what}: the agency of {OWN} was heard in {sorted(heard)}")


def _only_controls_are_public(figure: Figure, outlet: Outlet) -> None:
    _only_own_district(figure, outlet, "controls")
    outlet.platform.advance(at(5))  # what was grouped is released
    outlet.platform.runner.pump()
    texts = _everything_public(figure, outlet)
    figure.counts["public documents read"] = len(texts)
    leaks = [name for name, text in texts.items() if SECRET_MARK in text]
    figure.counts["public documents naming a refused message"] = len(leaks)
    figure.must(not leaks, f"a refused message is named in {leaks[:5]}")
    shown = "\n".join(texts.values())
    named = set(re.findall(f"{CONTROL_MARK}[A-Za-z0-9._-]+", shown))
    figure.counts["control messages named in public"] = len(named)
    figure.must(bool(named), "nothing of the control is public")


def _everything_public(figure: Figure, outlet: Outlet) -> dict[str, str]:
    """Every document that the public can read, by its address and form."""
    client = outlet.client
    texts = {path: client.get(path).text for path in ("/v1/warnings", "/v1/feed.atom")}
    released = [
        (recorded.position, recorded.event)
        for recorded in outlet.platform.log.read()
        if isinstance(recorded.event, WarningReleased) and recorded.event.mode is Mode.LIVE
    ]
    figure.counts["live releases"] = len(released)
    for _, event in released:
        for form in FORMS:
            path = f"/v1/warnings/{event.warning_id}/revisions/{event.number}"
            answer = client.get(path, headers={"Accept": form})
            figure.must(answer.status_code == 200, f"{path} as {form}: {answer.status_code}")
            texts[f"{path} as {form}"] = answer.text
    for warning_id in dict.fromkeys(event.warning_id for _, event in released):
        texts[f"explain {warning_id}"] = client.get(f"/v1/warnings/{warning_id}/explain").text
    texts["stream"] = _stream(outlet, released[-1][0] if released else 0)
    return texts


def _stream(outlet: Outlet, last: int) -> str:
    """The stream from its start up to this position."""
    heard: list[str] = []
    with listening(outlet.at.url, "?after=0") as stream:
        for event in stream:
            heard.append(json.dumps(event.data, ensure_ascii=False))
            if (event.kind == "ready" and not last) or event.id == str(last):
                break
    return "\n".join(heard)
