"""`outlet ingest`: files of messages, taken in one after the other."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from adapters.cli.common import REFUSED, USAGE, ClockOption, JsonOption, err, fail, moment_of, platform_of, print_json
from adapters.cli.files import MANY_FILES, content_of, files_in
from adapters.cli.looks import print_table, verdict_text
from adapters.receipts import receipt_document
from streams.intake import Delivery, Outcome, Receipt


def print_receipts(receipts: Iterable[Receipt]) -> None:
    """A row for each message, with what was found."""
    rows = [
        (
            receipt.source,
            verdict_text(receipt.outcome.value, is_good=receipt.outcome is not Outcome.REJECTED),
            receipt.agency or "",
            receipt.message.identifier if receipt.message else "",
            receipt.effect,
            " ".join(receipt.districts),
            "\n".join(f"{'✗' if found.refuses else '·'} {found.code}: {found.sentence}" for found in receipt.findings),
        )
        for receipt in receipts
    ]
    print_table(("source", "outcome", "agency", "message", "effect", "districts", "findings"), rows)


def ingest(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files, or folders of them: CAP, EDXL, 12379 XML or its zip.")],
    *,
    agency: Annotated[str | None, typer.Option(help="The agency that sends; else found by the sender.")] = None,
    at: ClockOption = None,
    json: JsonOption = False,
) -> None:
    """Take messages in, one after the other; a refused one does not stop the next. Exit code 1 if any was refused."""
    receipts: list[Receipt] = []
    unreadable: list[str] = []
    found = files_in(files)
    with platform_of(context, at=moment_of(at)) as platform:
        if agency is not None and platform.policy.agency(agency) is None:
            fail(f"the policy knows no agency {agency!r}", USAGE)
        hidden = not err.is_terminal or len(found) < MANY_FILES
        for path in track(found, console=err, description="ingest", disable=hidden):
            try:
                content = content_of(path)
            except OSError as error:
                unreadable.append(f"{path}: {error.strerror}")
                continue
            receipts += platform.runner.submit([Delivery(content=content, agency=agency, source=str(path))])
        platform.runner.pump()
    if json:
        print_json({"receipts": [receipt_document(receipt) for receipt in receipts], "unreadable": unreadable})
    else:
        print_receipts(receipts)
    for sentence in unreadable:
        err.print(f"outlet: {sentence}", markup=False, highlight=False)
    if unreadable or any(receipt.outcome is Outcome.REJECTED for receipt in receipts):
        raise typer.Exit(REFUSED)
