"""An SMTP server that keeps every mail as a file and hands none on: `python -m tests.cluster.mail_catcher PORT FOLDER`.

It stands in for the mail catcher of docker-compose.yml, and like it has no login and no TLS.
"""

import itertools
import signal
import sys
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.kafka.broker import HOST


class Kept:
    """Writes each mail under a number of its own, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        """Go on behind the mails that lie there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count(sum(1 for _ in folder.glob("*.eml")) + 1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- its name
        """Keep a mail before it is acknowledged."""
        assert isinstance(envelope.content, bytes)
        path = self._folder / f"{next(self._numbers):06d}.eml"
        part = path.with_suffix(".part")
        part.write_bytes(f"X-Recipients: {', '.join(envelope.rcpt_tos)}\r\n".encode() + envelope.content)
        part.rename(path)
        return "250 kept"


def main() -> None:
    """Serve until SIGTERM."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    controller = Controller(Kept(folder), hostname=HOST, port=port)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


if __name__ == "__main__":
    main()
