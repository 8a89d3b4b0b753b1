"""`python -m tests.kafka`: the broker of the tests on this machine, until Ctrl-C; prints where it is, and no more."""

import signal
import sys

from tests.kafka.broker import started
from tests.kafka.jars import NoKafkaError


def main() -> int:
    """0 after Ctrl-C or SIGTERM; 1 where it could not start."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        broker = started()
    except KeyboardInterrupt:
        return 0
    except NoKafkaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        sys.stdout.write(f"{broker.bootstrap_servers}\n")
        sys.stdout.flush()
        signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        broker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
