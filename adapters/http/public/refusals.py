"""The public API's own refusals, each with its stable code in the problem document's `code`."""

from collections.abc import Sequence
from typing import Final

from starlette.exceptions import HTTPException

from adapters.http.problems import Kind, ProblemError
from domain.findings import Finding

RETRY_SECONDS: Final = 30


def cannot_be_used(findings: Sequence[Finding]) -> ProblemError:
    """400: parameters that are unknown or have values that cannot be used, every one with its reason."""
    listed = [{"code": found.code.value, "path": found.path, "sentence": found.sentence} for found in findings]
    sentences = " ".join(found.sentence for found in findings)
    return ProblemError(Kind.BAD_REQUEST, sentences, more={"code": "parameters", "findings": listed})


def no_warning(warning_id: str) -> ProblemError:
    """404: never released, a drill's, or no id at all; which of them is not for the public."""
    return ProblemError(
        Kind.NOT_FOUND, f"No warning with the id {warning_id} has been released.", more={"code": "no-warning"}
    )


def no_release(warning_id: str, number: str, count: int) -> ProblemError:
    """404: the warning has no release with this number."""
    detail = f"The warning {warning_id} has the releases 1 to {count}, and none with the number {number}."
    return ProblemError(Kind.NOT_FOUND, detail, more={"code": "no-release"})


def no_such_form(identifier: str, form: str, why: str) -> ProblemError:
    """404: the release exists, and not in this form."""
    return ProblemError(
        Kind.NOT_FOUND, f"The release {identifier} has no {form} form: {why}.", more={"code": "no-such-form"}
    )


def not_acceptable(offered: Sequence[str]) -> HTTPException:
    """406: none of the types that the request accepts is offered."""
    return HTTPException(406, f"Offered are {', '.join(offered)}.")


def unavailable() -> ProblemError:
    """503: the log or the read tables cannot be read now."""
    return ProblemError(
        Kind.UNAVAILABLE,
        "What was released cannot be read now. Come back after `Retry-After` seconds.",
        headers={"Retry-After": str(RETRY_SECONDS)},
        more={"code": "unavailable"},
    )


def too_many_streams(maximum: int) -> ProblemError:
    """503: as many streams are open as this server keeps."""
    return ProblemError(
        Kind.UNAVAILABLE,
        f"{maximum} streams are open, as many as this server keeps. Come back, or read /v1/warnings meanwhile.",
        headers={"Retry-After": str(RETRY_SECONDS)},
        more={"code": "too-many-streams"},
    )
