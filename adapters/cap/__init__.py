"""The Common Alerting Protocol (OASIS CAP 1.0, 1.1, 1.2): bytes in, `AgencyMessage` out.

Start with `reader.py`. What a message means for the outlet is decided in `domain/`.
"""

from adapters.cap.checks import CapChecks, Verdict
from adapters.cap.reader import CapReader

__all__ = ["CapChecks", "CapReader", "Verdict"]
