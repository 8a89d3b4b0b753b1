"""One connection's SMTP dialogue after the login: what to write when which reply has come. No I/O happens here.

With PIPELINING (RFC 2920) a letter's MAIL, RCPT and DATA are one write, and they follow the letter before in the same
write as its content: one round trip a letter. Each reply is still read and checked by itself. Without it every command
waits for its reply.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from adapters.channels.mail_replies import CLOSING, Reply, Step, is_expected, outcome_of
from adapters.channels.port import Later, Outcome, Refused

_DATA: Final = b"DATA\r\n"
_ENVELOPE: Final = (Step.MAIL, Step.RCPT)
_LONGEST_REPLY_BYTES: Final = 64 * 1024
_REPLY_LINE: Final = re.compile(rb"([2-5][0-9]{2})(?:\r?\Z|([ -]))([^\r]*)")


@dataclass(slots=True, eq=False)
class Job:
    """A letter ready to be sent. `content` ends with the ending line; `finish` is called once, with its outcome."""

    sender: str
    address: str
    content: bytes
    finish: Callable[[Outcome], None]
    is_wanted: Callable[[], bool]
    needs_utf8: bool = False
    losses: int = 0
    refusal: Outcome | None = None

    @property
    def mail(self) -> bytes:
        """Who sends."""
        return f"MAIL FROM:<{self.sender}>{' SMTPUTF8' if self.needs_utf8 else ''}\r\n".encode()

    @property
    def rcpt(self) -> bytes:
        """Who is to have it."""
        return f"RCPT TO:<{self.address}>\r\n".encode()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the server has announced, as far as it is used."""

    pipelining: bool
    smtputf8: bool


class _Awaited(NamedTuple):
    step: Step
    job: Job | None


class Dialogue:
    """Takes letters by `take` as long as there are any; every method that returns bytes wants them written."""

    def __init__(self, abilities: Abilities, take: Callable[[], Job | None]) -> None:
        """Nothing is said yet."""
        self.broken = ""
        self.is_told_to_leave = False
        self._abilities = abilities
        self._take = take
        self._awaited: deque[_Awaited] = deque()
        self._buffer = b""
        self._lines: list[str] = []

    @property
    def is_idle(self) -> bool:
        """Whether nothing is waited for."""
        return not self._awaited and not self.broken

    @property
    def under_way(self) -> dict[Job, bool]:
        """The letters whose outcome is open, and of each whether its content has been written."""
        jobs: dict[Job, bool] = {}
        for step, job in self._awaited:
            if job is not None:
                jobs[job] = jobs.get(job, False) or step is Step.END
        return jobs

    def go_on(self) -> bytes:
        """Begin with the next letter, if there is one."""
        while (job := self._take()) is not None:
            if job.needs_utf8 and not self._abilities.smtputf8:
                job.finish(Refused("the mail server takes no addresses beyond ASCII (SMTPUTF8)"))
                continue
            job.refusal = None
            if not self._abilities.pipelining:
                self._await(Step.MAIL, job)
                return job.mail
            self._awaited.extend((_Awaited(Step.MAIL, job), _Awaited(Step.RCPT, job), _Awaited(Step.DATA, job)))
            return b"%b%b%b" % (job.mail, job.rcpt, _DATA)
        return b""

    def noop(self) -> bytes:
        """Ask whether the server is still there."""
        self._await(Step.NOOP)
        return b"NOOP\r\n"

    def quit(self) -> bytes:
        """Take leave."""
        self._await(Step.QUIT)
        return b"QUIT\r\n"

    def hear(self, received: bytes) -> bytes:
        """Read what the server has said. `broken` says afterwards why there is no going on, if so."""
        *lines, self._buffer = (self._buffer + received).split(b"\n")
        written = b""
        for line in lines:
            if line.startswith(b"250 ") and self._is_an_envelope_going_well():
                self._awaited.popleft()
                continue
            reply = self._reply_with(line)
            if reply is not None:
                written += self._answer(reply)
            if self.broken:
                return written
        if len(self._buffer) + sum(map(len, self._lines)) > _LONGEST_REPLY_BYTES:
            self.broken = "the server's reply has no end"
        return written

    def _is_an_envelope_going_well(self) -> bool:
        """Whether nothing follows from a positive reply: half of all replies are such, and are worth a short cut."""
        return (
            self._abilities.pipelining
            and bool(self._awaited)
            and self._awaited[0].step in _ENVELOPE
            and not self._lines
        )

    def _reply_with(self, line: bytes) -> Reply | None:
        """The reply that ends with this line; None while it goes on."""
        found = _REPLY_LINE.match(line)
        if found is None:
            self.broken = "the server does not speak SMTP"
            return None
        code, mark, words = found.groups()
        text = words.decode("utf-8", "replace")
        if mark == b"-":
            self._lines.append(text)
            return None
        if self._lines:
            text = " ".join([*self._lines, text])
            self._lines.clear()
        return Reply(int(code), text)

    def _answer(self, reply: Reply) -> bytes:
        if not self._awaited:
            self.broken = f"the server has said {reply.code} unasked"
            return b""
        step, job = self._awaited.popleft()
        if reply.code == CLOSING:
            self.is_told_to_leave = True
            self.broken = f"the server has taken leave: {reply.code}"
            if job is not None:
                self._dismiss(job, job.refusal or outcome_of(step, reply, job.address))
            return b""
        if job is None:
            return self._after_another_command(step, reply)
        if step is Step.END:
            job.finish(outcome_of(step, reply, job.address))
        elif step is Step.EMPTY_END:
            assert job.refusal is not None
            job.finish(job.refusal)
        else:
            return self._after_envelope(step, job, reply)
        return b"" if self._awaited else self.go_on()

    def _after_another_command(self, step: Step, reply: Reply) -> bytes:
        if step is Step.QUIT or (step is Step.RESET and not reply.is_positive):
            self.broken = f"{step}: {reply.code}"
            return b""
        return b"" if self._awaited else self.go_on()

    def _after_envelope(self, step: Step, job: Job, reply: Reply) -> bytes:
        if job.refusal is None and not is_expected(step, reply):
            job.refusal = outcome_of(step, reply, job.address)
        if step is Step.DATA and is_expected(step, reply):
            return self._content(job)
        if step is Step.DATA or (job.refusal is not None and not self._abilities.pipelining):
            assert job.refusal is not None
            job.finish(job.refusal)
            self._await(Step.RESET)
            return b"RSET\r\n" + (self.go_on() if self._abilities.pipelining else b"")
        if self._abilities.pipelining:
            return b""
        if step is Step.MAIL:
            self._await(Step.RCPT, job)
            return job.rcpt
        self._await(Step.DATA, job)
        return _DATA

    def _content(self, job: Job) -> bytes:
        """The content, with the next letter's commands behind it."""
        if job.refusal is not None:
            # RFC 2920, 3.1: a server may take DATA though it has refused the recipient; it is given nothing.
            self._await(Step.EMPTY_END, job)
            return b".\r\n"
        self._await(Step.END, job)
        return job.content + (self.go_on() if self._abilities.pipelining else b"")

    def _await(self, step: Step, job: Job | None = None) -> None:
        self._awaited.append(_Awaited(step, job))

    def _dismiss(self, job: Job, outcome: Outcome) -> None:
        job.finish(outcome)
        self._awaited = deque(awaited for awaited in self._awaited if awaited.job is not job)


def lost(*, content_was_written: bool, why: str) -> Later:
    """What becomes of a letter whose connection has broken.

    After the content nobody knows whether the server has it: it is repeated under the same Message-ID, by which a
    receiver can tell.
    """
    if content_was_written:
        return Later(f"{why} after the content was sent", in_doubt=True)
    return Later(f"{why} before the content was sent")
