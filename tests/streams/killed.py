"""The process that the kill tests kill: it takes a feed in and says each message's number once it is acknowledged.

Started by a fork server that has everything imported, so that a life costs milliseconds; ended by SIGKILL, in the
middle of whatever it is doing.
"""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from streams.intake import Delivery
from tests.streams.messages import START, at
from tests.streams.traffic import Sent

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([__name__])


def opened(folder: Path, minutes: float = 0) -> Platform:
    """The platform on this folder, its clock at a minute."""
    return build(Settings(data_dir=folder, policy="shaoxing"), clock=ManualClock(max(START, at(minutes))))


def take_in(folder: Path, sent: Sequence[Sent], begin: int, say: Connection) -> None:
    """A life: go on from message `begin`, one message at a time, as its sender would who has had no answer to it."""
    minutes = max([one.minutes for one in sent[:begin]], default=0.0)
    with opened(folder, minutes) as platform:
        for number in range(begin, len(sent)):
            minutes = max(minutes, sent[number].minutes)
            platform.advance(at(minutes))
            platform.runner.submit([Delivery(sent[number].content, None, "feed")])
            say.send(number)
            if (number + 1) % 3:  # some messages wait in the log for the next pump, or for the next life
                platform.runner.pump()


def take_in_and_be_killed(folder: Path, sent: Sequence[Sent], *, kills: int, seed: int) -> int:
    """Feed all of it through lives that end at random points; how many messages were acknowledged (all of them)."""
    random = Random(seed)
    acknowledged = 0
    share = max(1, 2 * len(sent) // (kills + 1))
    for life in range(kills + 1):
        hear, say = SERVER.Pipe(duplex=False)
        process = SERVER.Process(target=take_in, args=(folder, sent, acknowledged, say), daemon=True)
        process.start()
        say.close()
        is_last = life == kills
        left = len(sent) if is_last else random.randint(1, share)
        try:
            while left:
                acknowledged = hear.recv() + 1
                left -= 1
            if not hear.poll(random.uniform(0, 0.03)):  # now and then in the middle of what follows
                hear.poll(random.uniform(0, 0.03))
        except EOFError:
            pass  # it has taken in everything
        process.kill()
        acknowledged = _said_before_the_end(hear, acknowledged)
        process.join()
        hear.close()
    return acknowledged


def _said_before_the_end(hear: Connection, acknowledged: int) -> int:
    try:
        while True:
            acknowledged = hear.recv() + 1
    except EOFError:
        return acknowledged
