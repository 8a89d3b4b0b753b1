"""A mail server and an SMSC that are killed as by a power failure and begun anew at the same place.

Both write down what they take before they answer; their files outlive them.
"""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from adapters.bench.p9_node import Smsc, smsc
from tests.conftest import PROJECT
from tests.figures.told import MailTold, SmsTold

IDS_OF_A_LIFE = 100_000_000
"""An SMSC does not give the ids of a former life again."""

END_SECONDS = 10.0


class MailServer:
    """A mail house: at one port for good, in one process after the other."""

    def __init__(self, folder: Path) -> None:
        """It writes below this folder."""
        self.told = MailTold(folder / "mails.txt")
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def begin(self, **manners: Any) -> None:
        """Serve."""
        command = [sys.executable, "-m", "tests.figures.mail_house", str(self.port), str(self.told.path)]
        self._process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self._line())["port"]
        if manners:
            self.tell(**manners)

    def tell(self, **manners: Any) -> None:
        """Answer in another way from now on; it does when this returns."""
        assert self._process is not None
        stream = cast("IO[str]", self._process.stdin)
        stream.write(json.dumps(manners) + "\n")
        stream.flush()
        self._line()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(END_SECONDS)
            for stream in (self._process.stdin, self._process.stdout):
                cast("IO[str]", stream).close()
            self._process = None

    def _line(self) -> str:
        assert self._process is not None
        line = cast("IO[str]", self._process.stdout).readline()
        assert line, "the mail server has ended"
        return line


class SmsServer:
    """The npm package's SMSC, in the same way."""

    def __init__(self, folder: Path, **options: Any) -> None:
        """It writes below this folder; options as `smsc.js` has them."""
        self.told = SmsTold(folder / "sms.txt")
        self.port = 0
        self._options = options
        self._lives = 0
        self._stack = ExitStack()
        self._smsc: Smsc | None = None

    def begin(self, **options: Any) -> None:
        """Serve."""
        whole = {**self._options, **options, "port": self.port, "log": str(self.told.path)}
        self._smsc = self._stack.enter_context(smsc(**whole, firstId=1 + self._lives * IDS_OF_A_LIFE))
        self._lives += 1
        self.port = self._smsc.port

    def tell(self, **options: Any) -> None:
        """Answer in another way from now on; it does when this returns."""
        assert self._smsc is not None
        self._smsc.tell(**options)

    def kill(self) -> None:
        """SIGKILL."""
        self._stack.close()
        self._smsc = None


class Servers:
    """Both, for the length of a block."""

    def __init__(self, folder: Path, **sms_options: Any) -> None:
        """Nothing serves yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.mail = MailServer(folder)
        self.sms = SmsServer(folder, **sms_options)

    @property
    def both(self) -> tuple[MailServer | SmsServer, MailServer | SmsServer]:
        """To do the same with both."""
        return self.mail, self.sms

    def reached(self) -> int:
        """How many people have something by now."""
        return sum(len(server.told.read().reached) for server in self.both)

    def __enter__(self) -> Self:
        """Both serve."""
        for server in self.both:
            server.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Both end."""
        for server in self.both:
            server.kill()
