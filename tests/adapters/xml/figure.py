"""The figures of S1 and S2: how many attacks are refused, and how long the slowest refusal takes.

`python -m tests.adapters.xml.figure` prints them. No test asserts a time; that no file or socket is opened is asserted
by `test_safe.py` for each document of S1.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from adapters.reading import AnyReader
from domain.findings import Code, RefusedMessageError
from domain.policy import Policy
from domain.signatures import an_agency_that_signs_is_believed_only_under_its_own_certificate
from tests.adapters.cap.signatures.attacks import ATTACKS as SIGNED_ATTACKS
from tests.adapters.cap.signatures.identities import by_rsa, policy
from tests.adapters.xml.reaching import ATTACKS as XML_ATTACKS
from tests.adapters.xml.reaching import watch_this_process, watched
from tests.streams.messages import START

ROUNDS = 5
AGENCY = "meteorology"

Attacks = Mapping[str, tuple[Callable[[], bytes], Code]]


def codes_of(content: bytes, reader: AnyReader, signing: Policy) -> list[Code]:
    """What the reader and the signature's rule refuse these bytes for; empty when they are believed."""
    try:
        messages = reader.read(content)
    except RefusedMessageError as error:
        return [found.code for found in error.findings if found.refuses]
    agency = signing.agency(AGENCY)
    assert agency is not None
    rule = an_agency_that_signs_is_believed_only_under_its_own_certificate
    return [found.code for message in messages for found in rule(message, agency, signing, START)]


def figure(name: str, attacks: Attacks, reader: AnyReader, signing: Policy) -> Iterator[str]:
    """The lines of one figure: the counts, and the three slowest refusals, each the median of a few rounds."""
    spent: dict[str, float] = {}
    refused, opened = 0, 0
    for attack, (make, code) in attacks.items():
        content = make()
        with watched() as outside:
            refused += code in codes_of(content, reader, signing)
        opened += bool(outside)
        rounds: list[float] = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            codes_of(content, reader, signing)
            rounds.append(time.perf_counter() - start)
        spent[attack] = statistics.median(rounds)
    yield f"{name}: {refused} of {len(attacks)} refused with their code; {opened} opened a file or a socket"
    for attack in sorted(spent, key=lambda one: -spent[one])[:3]:
        yield f"    {spent[attack] * 1000:6.1f} ms  {attack}"


def main() -> None:
    """Print both figures."""
    watch_this_process()
    signing = policy(meteorology=(by_rsa(AGENCY),), water=(by_rsa("water"),))
    reader = AnyReader(signing)
    for first in ("an altered text", "sibling alerts in an alert of an older version"):
        codes_of(SIGNED_ATTACKS[first][0](), reader, signing)  # loads our own schemas, once for a process
    for name, attacks in (("S1", XML_ATTACKS), ("S2", SIGNED_ATTACKS)):
        for line in figure(name, attacks, reader, signing):
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
