"""P9: short messages over SMPP with their receipts, window 50, beside the npm `smpp` client on the same SMSC.

Both sides are processes of their own that speak to one SMSC, taking turns in going first. The time is from the first
submit_sm until the last receipt is there; each side matches every receipt with its message and acknowledges it.
"""

import json
import subprocess
import sys
from statistics import median

from adapters.bench.p9_node import PROGRAMS, Smsc, modules, node, smsc
from adapters.bench.row import Row

WINDOW = 50
MESSAGES, FEW = 16_000, 1_000
GOAL, STEADY_GOAL = 1.0, 0.9
SECONDS = 300.0
WORDS = "【某市应急】某区暴雨红色预警：未来三小时雨量将达一百毫米以上，请立即转移避险。"

NOTE = (
    f"window {WINDOW}, {MESSAGES:,} messages of one part, one connection; ours: the whole channel with alphabet, pace, "
    "timeouts and matching, uvloop; beside: the package's bare session, no timeouts"
)


def measure(rounds: int = 5, messages: int = MESSAGES, few: int = FEW) -> list[Row]:
    """Both figures of P9.

    Raises:
        PeerMissingError: node or the package is missing.
    """
    ratios: list[float] = []
    steady: list[float] = []
    with smsc() as server:
        # What runs for the first time is compiled then, in the SMSC above all.
        for side in (ours, beside):
            side(server, few)
        for number in range(rounds):
            order = (beside, ours) if number % 2 else (ours, beside)
            rates = {side: side(server, messages) for side in order}
            ratios.append(rates[ours] / rates[beside])
            steady.append(rates[ours] / ours(server, few))
    what = f"SMS over SMPP with receipts, window {WINDOW}"
    return [
        Row("P9", what, "npm smpp client, messages/s", median(ratios), GOAL, tuple(ratios), NOTE),
        Row(
            "P9",
            f"{what}: {messages:,} messages",
            f"{few:,} messages, messages/s",
            median(steady),
            STEADY_GOAL,
            tuple(steady),
        ),
    ]


def ours(server: Smsc, messages: int) -> float:
    """Messages a second through the channel."""
    return _rate([sys.executable, "-m", "adapters.bench.p9_client"], server, messages)


def beside(server: Smsc, messages: int) -> float:
    """Messages a second through the package's client."""
    return _rate([node(), str(PROGRAMS / "client.js"), str(modules())], server, messages)


def _rate(program: list[str], server: Smsc, messages: int) -> float:
    command = [*program, str(server.port), str(messages), str(WINDOW), WORDS]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603
    if done.returncode:
        raise ChildProcessError(done.stderr.strip()[-500:])
    seconds: float = json.loads(done.stdout)["seconds"]
    return messages / seconds
