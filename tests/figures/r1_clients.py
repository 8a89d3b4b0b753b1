"""Partners who send until they are answered: a request without an answer is sent again, to whichever process is there.

What an answer is worth is counted elsewhere; here it is only kept.
"""

import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from tests.figures.r1_feed import Letter

ANSWERED = frozenset({202, 400, 409, 422})
COME_AGAIN = frozenset({429, 503})
REQUEST_SECONDS = 30.0
RETRY_SECONDS = 0.02
PATIENCE_SECONDS = 120.0
"""How long a partner waits for a process to be there."""


class Address:
    """Where the living process serves, if one lives."""

    def __init__(self) -> None:
        """Nobody lives yet."""
        self._news = threading.Condition()
        self._url: str | None = None

    def put(self, url: str | None) -> None:
        """A process serves here now, or none does."""
        with self._news:
            self._url = url
            self._news.notify_all()

    def wait(self) -> str:
        """Where the process serves, once there is one.

        Raises:
            TimeoutError: none came.
        """
        with self._news:
            if not self._news.wait_for(lambda: self._url is not None, PATIENCE_SECONDS):
                raise TimeoutError("no server came")
            assert self._url is not None
            return self._url


@dataclass
class Answers:
    """What was answered: the status of each message by its digest, and what else happened."""

    by_digest: dict[str, int] = field(default_factory=dict)
    count: int = 0
    retried: int = 0
    told_to_wait: int = 0
    strange: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, content: bytes, status: int) -> None:
        """Keep an answer."""
        with self.lock:
            self.by_digest[sha256(content).hexdigest()] = status
            self.count += 1


class Partner(threading.Thread):
    """Sends its letters one after the other, each until it is answered."""

    def __init__(self, letters: Sequence[Letter], keys: Mapping[str, str], address: Address, answers: Answers) -> None:
        """`keys` are the keys by agency."""
        super().__init__(daemon=True)
        self._letters = letters
        self._keys = keys
        self._address = address
        self._answers = answers
        self._connection: http.client.HTTPConnection | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Send all of it."""
        try:
            for letter in self._letters:
                self._send_until_answered(letter)
        except (OSError, AssertionError) as error:
            self.error = error
        finally:
            self._hang_up()

    def _send_until_answered(self, letter: Letter) -> None:
        while True:
            status, reason = self._sent_once(letter)
            if status in ANSWERED:
                self._answers.answered(letter.content, status)
                return
            with self._answers.lock:
                if status in COME_AGAIN:
                    self._answers.told_to_wait += 1
                elif status:
                    self._answers.strange.append(f"{status}: {reason[:300]}")
                else:
                    self._answers.retried += 1
            if status:
                time.sleep(0.05)

    def _sent_once(self, letter: Letter) -> tuple[int, str]:
        """The status and the body of the answer; (0, why) when none came."""
        if self._connection is None:
            where = urlsplit(self._address.wait())
            self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=REQUEST_SECONDS)
        headers = {"X-Api-Key": self._keys[letter.agency]}
        try:
            self._connection.request("POST", f"/v1/agencies/{letter.agency}/messages", letter.content, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            time.sleep(RETRY_SECONDS)
            return 0, str(error)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
