"""May this request speak as this agency? The key, the pinned certificate and the signature, in this order.

What the agency may say is the remit's matter, which the intake stage enforces.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from adapters.http.keys import AgencyKeys, CredentialKind, State
from adapters.http.peers import certificate_of
from adapters.http.problems import Kind, ProblemError
from adapters.http.replays import AnsweredRequests, SignedId
from adapters.http.settings import HttpSettings
from adapters.http.signatures import SignedHead, must_be_signed, signed_head

_UNUSABLE = {
    State.UNKNOWN: Kind.UNKNOWN_KEY,
    State.EXPIRED: Kind.EXPIRED_KEY,
    State.DISABLED: Kind.DISABLED_KEY,
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may speak as its agency; a signature, where one is due, is still to be checked on the body."""

    agency: str
    key_id: str
    head: SignedHead | None


class Door:
    """Checks requests against the agencies' credentials."""

    def __init__(self, keys: AgencyKeys, answered: AnsweredRequests, settings: HttpSettings) -> None:
        """Check against these keys, and against the ids that were used before."""
        self._keys = keys
        self._answered = answered
        self._settings = settings

    def admit(self, request: Request, agency: str, now: datetime) -> Admitted:
        """Let a request in by its headers, before any of its body is read.

        Raises:
            ProblemError: NO_KEY, UNKNOWN_KEY, EXPIRED_KEY, DISABLED_KEY, OTHER_AGENCY, CERTIFICATE, UNSIGNED,
                BAD_SIGNATURE or STALE.
        """
        verdict = self._keys.verify(_key_in(request), now)
        if verdict.state is not State.VALID or verdict.credential is None:
            raise ProblemError(_UNUSABLE[verdict.state])
        credential = verdict.credential
        if credential.agency != agency:
            raise ProblemError(Kind.OTHER_AGENCY)
        if self._keys.requires(agency, CredentialKind.CERTIFICATE):
            shown = certificate_of(request, self._settings)
            if shown is None or shown not in self._keys.usable(agency, CredentialKind.CERTIFICATE, now):
                raise ProblemError(Kind.CERTIFICATE)
        head: SignedHead | None = None
        if self._keys.requires(agency, CredentialKind.SIGNING_SECRET):
            head = signed_head(request.headers, now, self._settings.signature_tolerance_seconds)
        return Admitted(agency, credential.id, head)

    def admit_any(self, request: Request, now: datetime) -> Admitted:
        """Let a request in as the agency that its key belongs to, where the address names none.

        Raises:
            ProblemError: as `admit`, but for OTHER_AGENCY.
        """
        credential = self._keys.verify(_key_in(request), now).credential
        return self.admit(request, credential.agency if credential is not None else "", now)

    def verify_body(self, admitted: Admitted, body: bytes, now: datetime) -> SignedId | None:
        """Check the signature over the body and claim its id; None where no signature is due.

        Raises:
            ProblemError: BAD_SIGNATURE or REPLAYED. The id is claimed only when nothing is raised.
        """
        if admitted.head is None:
            return None
        must_be_signed(admitted.head, body, self._keys.usable(admitted.agency, CredentialKind.SIGNING_SECRET, now))
        signed = (admitted.agency, admitted.head.id)
        if not self._answered.begin(signed):
            raise ProblemError(Kind.REPLAYED)
        return signed

    def abandon(self, signed: SignedId) -> None:
        """The request took nothing in: its id may be used again."""
        self._answered.abandon(signed)


def remembered(settings: HttpSettings) -> timedelta:
    """How long ids are remembered: never less than the time in which a signature is fresh, on both sides of now."""
    return max(timedelta(hours=settings.remembered_hours), timedelta(seconds=2 * settings.signature_tolerance_seconds))


def _key_in(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    key = request.headers.get("x-api-key", "").strip()
    if not key:
        raise ProblemError(Kind.NO_KEY)
    return key
