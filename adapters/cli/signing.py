"""What `outlet doctor` says about the key that released documents are signed with."""

from datetime import datetime, timedelta
from typing import Final

from adapters.clocks import SystemClock
from adapters.settings import Settings

SOON: Final = timedelta(days=30)


def signing_looks_sound(settings: Settings, now: datetime | None = None) -> tuple[bool, str]:
    """Whether documents are signed as configured, and for how long the certificate is still valid.

    An expired certificate is for people to replace; it never keeps the outlet from starting, or a warning back.

    Raises:
        SigningError: the key or the certificate cannot be used, so that the outlet would not start.
    """
    files = settings.signing_files
    if files is None:
        return True, "no key is configured: released documents are not signed"
    from adapters.cap.signing import signer_of  # the cryptography is loaded only where it is used

    certificate = signer_of(*files).certificate
    now = now or SystemClock().now()
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    until = f"the certificate is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
    if not begins <= now <= ends:
        return False, f"{until}, and not now: documents are signed with it all the same"
    if ends - now < SOON:
        return False, f"{until}: {(ends - now).days} days are left to replace it"
    return True, until
