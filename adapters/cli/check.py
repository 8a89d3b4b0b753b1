"""`outlet check`: reads and validates files, and touches nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track

from adapters.cap.checks import CapChecks
from adapters.cli.common import REFUSED, JsonOption, err, errors_as_sentences, fail, globals_of, print_json
from adapters.cli.files import MANY_FILES, files_in
from adapters.cli.looks import print_table, verdict_text
from adapters.cn12379.archive import is_archive
from adapters.policies import load
from adapters.reading import CN12379_MARKS, LOOKED_AT_BYTES, AnyReader
from domain.findings import Finding, RefusedMessageError
from domain.messages import AgencyMessage, MessageFormat
from domain.ports import MessageReader

CAP_MARK = b"oasis:names:tc:emergency:"


class Verdict(StrEnum):
    """What a file came to."""

    READABLE = "readable"
    WITH_NOTES = "readable-with-notes"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Checked:
    """One file as it was read."""

    file: str
    verdict: Verdict
    format: str | None
    messages: Sequence[AgencyMessage]
    findings: Sequence[Finding]

    def document(self) -> dict[str, Any]:
        """The file as JSON."""
        return {
            "file": self.file,
            "verdict": self.verdict.value,
            "format": self.format,
            "messages": [
                {
                    "sender": message.sender,
                    "identifier": message.identifier,
                    "sent": message.sent.isoformat(),
                    "message_type": message.message_type.value,
                    "status": message.status.value,
                }
                for message in self.messages
            ],
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
        }


def check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files, or folders of them: CAP, EDXL, 12379 XML or its zip.")],
    *,
    policy: Annotated[str | None, typer.Option(help="Read as strictly as this outlet's policy does.")] = None,
    json: JsonOption = False,
) -> None:
    """Say whether messages can be read, and everything that was found in them. Exit code 1 if any is refused.

    Without a policy, a defect that leaves a message readable is noted, as for an archive; with one, what that outlet
    would refuse is refused. No data directory is needed or touched. What a message means here (hazard, level, places,
    remit) is not looked at.
    """
    with errors_as_sentences():
        named = policy or globals_of(context).policy
        reader = AnyReader(load(named)[0]) if named else AnyReader(checks=CapChecks.lenient())
        found = files_in(files)
    if not found:
        fail("no files there", 2)
    checked: list[Checked] = []
    unreadable: list[str] = []
    hidden = not err.is_terminal or len(found) < MANY_FILES
    for path in track(found, console=err, description="check", disable=hidden):
        try:
            content = path.read_bytes()
        except OSError as error:
            unreadable.append(f"{path}: {error.strerror}")
            continue
        checked.append(checked_file(str(path), content, reader))
    _report(checked, unreadable, json=json)
    if unreadable or any(one.verdict is Verdict.REFUSED for one in checked):
        raise typer.Exit(REFUSED)


def checked_file(name: str, content: bytes, reader: MessageReader) -> Checked:
    """Read one file's bytes."""
    try:
        messages = reader.read(content)
    except RefusedMessageError as error:
        return Checked(name, Verdict.REFUSED, likely_format(content), (), error.findings)
    notes = [note for message in messages for note in message.notes]
    verdict = Verdict.WITH_NOTES if notes else Verdict.READABLE
    return Checked(name, verdict, messages[0].format.value if messages else None, messages, notes)


def likely_format(content: bytes) -> str | None:
    """What refused bytes were probably meant to be; None when nothing says so."""
    head = content[:LOOKED_AT_BYTES].replace(b"\x00", b"")
    if is_archive(content) or any(mark in head for mark in CN12379_MARKS):
        return MessageFormat.CN12379.value
    return MessageFormat.CAP.value if CAP_MARK in head else None


def _report(checked: Sequence[Checked], unreadable: Sequence[str], *, json: bool) -> None:
    counted = Counter(one.verdict for one in checked)
    if json:
        summary = {verdict.value: counted[verdict] for verdict in Verdict}
        files = [one.document() for one in checked]
        print_json({"files": files, "summary": summary, "unreadable": list(unreadable)})
    else:
        rows = [
            (
                one.file,
                verdict_text(one.verdict.value, is_good=one.verdict is not Verdict.REFUSED),
                one.format or "",
                ", ".join(message.identifier for message in one.messages),
                "\n".join(f"{found.code} {found.path}: {found.sentence}" for found in one.findings),
            )
            for one in checked
        ]
        print_table(("file", "verdict", "format", "messages", "findings"), rows)
    for sentence in unreadable:
        err.print(f"outlet: {sentence}", markup=False, highlight=False)
