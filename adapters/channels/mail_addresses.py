"""Which mail addresses a message can be sent to, and how they stand in an envelope. Nothing is looked up here."""

import re
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email

# What nearly every address looks like; anything else is left to the validator, which takes fifty times as long.
_PLAIN: Final = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


class NotAnAddressError(ValueError):
    """No mail can be sent to it."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as it stands in the envelope and in `To`; `needs_utf8` where only SMTPUTF8 (RFC 6531) carries it."""

    address: str
    needs_utf8: bool = False


def mailbox(text: str) -> Mailbox:
    """The address, its domain in ASCII.

    Raises:
        NotAnAddressError: it is none. Its words do not repeat the address.
    """
    if _PLAIN.fullmatch(text):
        return Mailbox(text)
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise NotAnAddressError("not a mail address") from error
    if found.ascii_email is not None:
        return Mailbox(found.ascii_email)
    return Mailbox(f"{found.local_part}@{found.ascii_domain}", needs_utf8=True)
