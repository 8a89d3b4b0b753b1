"""How a callback proves that it is the gateway's. Pure: the secret and the time come in."""

import hmac
import re
from datetime import datetime
from hashlib import sha256
from typing import Final, assert_never

from adapters.channels.gateway_callbacks import Callback, CallbackRefusedError, Fault
from adapters.channels.gateway_profile import CallbackRule, Proof
from adapters.channels.gateway_signing import NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, canonical_string

_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_NONCE: Final = re.compile(r"[!-~]{1,128}")


def must_be_proven(callback: Callback, rule: CallbackRule, secret: bytes, now: datetime) -> None:
    """Return when the callback is the gateway's.

    Raises:
        CallbackRefusedError: UNPROVEN or STALE.
    """
    match rule.proof:
        case Proof.PATH_TOKEN:
            is_proven = hmac.compare_digest(callback.token.encode(), secret)
        case Proof.BEARER:
            scheme, _, shown = callback.headers.get("authorization", "").partition(" ")
            is_proven = hmac.compare_digest(shown.strip().encode(), secret) and scheme.lower() == "bearer"
        case Proof.HMAC_SHA256:
            is_proven = _is_signed(callback, rule, secret, now)
        case _:
            assert_never(rule.proof)
    if not is_proven or (callback.token and rule.proof is not Proof.PATH_TOKEN):
        raise CallbackRefusedError(Fault.UNPROVEN, "This callback does not show that it is the gateway's.")


def _is_signed(callback: Callback, rule: CallbackRule, secret: bytes, now: datetime) -> bool:
    timestamp, nonce = callback.headers.get(TIMESTAMP_HEADER, ""), callback.headers.get(NONCE_HEADER, "")
    if not _SECONDS.fullmatch(timestamp) or not _NONCE.fullmatch(nonce):
        return False
    content = canonical_string("POST", callback.target, timestamp, nonce, callback.body)
    due = hmac.new(secret, content, sha256).hexdigest()
    if not hmac.compare_digest(callback.headers.get(SIGNATURE_HEADER, "").lower().encode(), due.encode()):
        return False
    apart = abs(now.timestamp() - int(timestamp))
    if apart > rule.tolerance_seconds:
        sentence = f"The signed time is {apart:.0f} s from now; {rule.tolerance_seconds:g} s are allowed."
        raise CallbackRefusedError(Fault.STALE, sentence)
    return True
