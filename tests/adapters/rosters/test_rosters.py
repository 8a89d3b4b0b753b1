"""A roster is checked row by row and taken in whole; who is on it keeps their number."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook

from adapters.gazetteer.from_policy import gazetteer_of
from adapters.policies import load
from adapters.rosters.checking import Entry, RowCode, RowFinding, telephone_number
from adapters.rosters.columns import ColumnsError, columns_of, mapping_in
from adapters.rosters.importing import CheckedTable, check_table, enter, findings_as_csv, spreadsheet_safe
from adapters.rosters.tables import TableError, rows_in
from adapters.vault.vault import ContactVault, vault_in
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind

POLICY, _ = load("shaoxing")
PLACES = gazetteer_of(POLICY.gazetteer, beside=None)
HEADINGS = "姓名,手机,邮箱,角色,区域,灾种,最低级别,语言,渠道,纬度,经度,半径"
GOOD = "甲,13800138000,a@town.example,乡镇值班员,嵊州市,11B03;11D01,黄色,zh,短信,,,"


def table(tmp_path: Path, *lines: str, name: str = "roster.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def checked(path: Path) -> CheckedTable:
    return check_table(rows_in(path), POLICY, PLACES)


def entry_of(path: Path) -> Entry:
    found = checked(path)
    assert found.findings == ()
    [entry] = found.entries
    return entry


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[ContactVault]:
    with vault_in(tmp_path / "data") as opened:
        yield opened


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()


def test_a_good_row_says_who_where_what_and_how(tmp_path: Path) -> None:
    entry = entry_of(table(tmp_path, HEADINGS, GOOD))
    assert [(contact.kind, contact.address) for contact in entry.person.contacts] == [
        (ChannelKind.SMS, "+8613800138000"),
        (ChannelKind.VOICE, "+8613800138000"),
        (ChannelKind.EMAIL, "a@town.example"),
    ]
    assert (entry.role, entry.areas, entry.hazards) == ("乡镇值班员", ("330683",), ("11B03", "11D01"))
    assert (entry.level_min, entry.language, entry.channels) == (Level.YELLOW, "zh-CN", (ChannelKind.SMS,))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_in_the_encodings_of_chinese_spreadsheets_is_read(tmp_path: Path, encoding: str) -> None:
    assert entry_of(table(tmp_path, HEADINGS, GOOD, encoding=encoding)).person.name == "甲"


def test_a_workbook_says_the_same_as_a_csv(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADINGS.split(","))
    sheet.append(["甲", 13800138000, "a@town.example", "乡镇值班员", "嵊州市", "11B03;11D01", "黄色", "zh", "短信"])
    book.save(tmp_path / "roster.xlsx")
    assert entry_of(tmp_path / "roster.xlsx") == entry_of(table(tmp_path, HEADINGS, GOOD))


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("甲,123,,,330683,,,,,,,", RowCode.PHONE),
        ("甲,,a@b@c,,330683,,,,,,,", RowCode.EMAIL),
        ("甲,,,,330683,,,,,,,", RowCode.NO_CONTACT),
        ("甲,13800138000,,,330683,,,,邮件,,,", RowCode.CHANNEL),
        ("甲,13800138000,,,330683,,,,telegram,,,", RowCode.CHANNEL),
        ("甲,13800138000,,,999999,,,,,,,", RowCode.AREA),
        ("甲,13800138000,,,,,,,,,,", RowCode.NO_AREA),
        ("甲,13800138000,,,,,,,,91,120,1", RowCode.POINT),
        ("甲,13800138000,,,,,,,,north,120,1", RowCode.POINT),
        ("甲,13800138000,,,,,,,,nan,120,1", RowCode.POINT),
        ("甲,13800138000,,,330683,99Z99,,,,,,", RowCode.HAZARD),
        ("甲,13800138000,,,330683,,purple,,,,,", RowCode.LEVEL),
        ("甲,13800138000,,,330683,,,de,,,,", RowCode.LANGUAGE),
    ],
)
def test_every_defect_has_its_row_field_and_code(tmp_path: Path, row: str, code: RowCode) -> None:
    found = checked(table(tmp_path, HEADINGS, GOOD.replace("13800138000", "13900139000"), row))
    assert [(one.row, one.code) for one in found.findings] == [(3, code)]
    assert not found.is_good


def test_all_defects_of_a_row_are_named_at_once(tmp_path: Path) -> None:
    found = checked(table(tmp_path, HEADINGS, "甲,123,a@,,nowhere,99Z99,purple,de,telegram,91,0,0"))
    assert {one.code for one in found.findings} == {
        RowCode.PHONE,
        RowCode.EMAIL,
        RowCode.AREA,
        RowCode.HAZARD,
        RowCode.LEVEL,
        RowCode.LANGUAGE,
        RowCode.CHANNEL,
        RowCode.POINT,
    }


def test_no_finding_repeats_a_telephone_number(tmp_path: Path) -> None:
    found = checked(table(tmp_path, HEADINGS, "甲,1234567,,,330683,,,,,,,"))
    assert "1234567" not in found.findings[0].sentence


def test_the_same_recipient_twice_is_named(tmp_path: Path) -> None:
    found = checked(table(tmp_path, HEADINGS, GOOD, GOOD))
    assert [(one.row, one.code) for one in found.findings] == [(3, RowCode.TWICE)]


def test_codes_of_twelve_digits_and_names_mean_the_same_area(tmp_path: Path) -> None:
    for area in ("330683", "330683000000", "嵊州市"):
        assert entry_of(table(tmp_path, "phone,areas", f"13800138000,{area}")).areas == ("330683",)


def test_a_point_with_a_radius_needs_no_area(tmp_path: Path) -> None:
    entry = entry_of(table(tmp_path, "phone,latitude,longitude,radius_km", "13800138000,29.6,120.8,2.5"))
    assert [(one.latitude, one.longitude, one.radius_km) for one in entry.circles] == [(29.6, 120.8, 2.5)]


def test_nobody_is_phoned_for_having_a_telephone(tmp_path: Path) -> None:
    assert entry_of(table(tmp_path, "phone,areas", "13800138000,330683")).channels == (ChannelKind.SMS,)


def test_a_post_and_a_turn_say_for_what_and_in_which_order_somebody_is_asked(tmp_path: Path) -> None:
    rows = ("甲,13800138000,330683,南山水库,2", "乙,13800138001,330683, 南山  水库 ,", "丙,13800138002,330683,,")
    found = checked(table(tmp_path, "姓名,手机,区域,责任点,联系顺序", *rows))
    assert [(one.post, one.turn) for one in found.entries] == [("南山水库", 2), ("南山 水库", 1), ("", 1)]
    recipient = found.entries[0].recipient(7, "duty", Mode.LIVE)
    assert (recipient.post, recipient.turn) == ("南山水库", 2)


@pytest.mark.parametrize(
    ("post", "turn", "code"),
    [
        ("水库", "0", RowCode.TURN),
        ("水库", "100", RowCode.TURN),
        ("水库", "1.5", RowCode.TURN),
        ("水库", "第一", RowCode.TURN),
        ("水库", "9" * 5_000, RowCode.TURN),
        ("水" * 101, "1", RowCode.POST),
    ],
)
def test_a_turn_that_is_none_and_a_post_without_end_are_named(
    tmp_path: Path, post: str, turn: str, code: RowCode
) -> None:
    found = checked(table(tmp_path, "姓名,手机,区域,点位,顺序", f"甲,13800138000,330683,{post},{turn}"))
    assert [(one.row, one.code) for one in found.findings] == [(2, code)]


def test_headings_can_be_mapped_and_others_are_passed_over(tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nphone = "Kontakt"\n', encoding="utf-8")
    columns = columns_of(("Kontakt", "areas", "shoe size"), mapping_in(mapping))
    assert columns.of_field == {"phone": "Kontakt", "areas": "areas"}
    assert columns.passed_over == ("shoe size",)


@pytest.mark.parametrize(
    ("headings", "mapping", "word"),
    [
        (("name", "areas"), {}, "how to reach anybody"),
        (("phone", "手机"), {}, "both say phone"),
        (("phone",), {"phone": "tel"}, "no column 'tel'"),
        (("phone",), {"colour": "phone"}, "no field 'colour'"),
    ],
)
def test_headings_that_cannot_be_used_are_refused(
    headings: tuple[str, ...], mapping: dict[str, str], word: str
) -> None:
    with pytest.raises(ColumnsError, match=word):
        columns_of(headings, mapping)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"phone,phone\n1,2\n"),
        ("a.csv", b"phone\n1,2\n"),
        ("a.csv", b'phone\n"1\n'),
        ("a.csv", b"\xff\xff\xff"),
        ("a.xlsx", b"no workbook"),
        ("a.xlsx", b"PK\x05\x06" + bytes(18)),
        ("a.pdf", b"%PDF"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError):
        rows_in(path)


def test_who_stays_keeps_the_number_and_who_is_new_gets_another(tmp_path: Path, vault: ContactVault) -> None:
    heading = "name,phone,areas"
    first = enter(
        checked(table(tmp_path, heading, "甲,13800138000,330683", "乙,13800138001,330683")).entries,
        {},
        vault,
        roster="duty",
        mode=Mode.LIVE,
    )
    assert len(first.difference.entered) == 2
    second = enter(
        checked(table(tmp_path, heading, "甲,13800138000,330624", "丙,13800138002,330683")).entries,
        first.recipients,
        vault,
        roster="duty",
        mode=Mode.LIVE,
    )
    one, two = sorted(first.recipients)
    assert second.difference.changed == (one,)
    assert second.difference.left == (two,)
    assert len(second.difference.entered) == 1
    assert second.difference.entered[0] not in first.recipients


def test_the_same_table_again_changes_nothing(tmp_path: Path, vault: ContactVault) -> None:
    entries = checked(table(tmp_path, HEADINGS, GOOD)).entries
    first = enter(entries, {}, vault, roster="duty", mode=Mode.LIVE)
    again = enter(entries, first.recipients, vault, roster="duty", mode=Mode.LIVE)
    assert again.difference.is_empty
    assert vault.count() == 1


def test_a_recipient_holds_nothing_by_which_somebody_could_be_reached(tmp_path: Path, vault: ContactVault) -> None:
    entries = checked(table(tmp_path, HEADINGS, GOOD)).entries
    [recipient] = enter(entries, {}, vault, roster="duty", mode=Mode.LIVE).recipients.values()
    held = recipient.model_dump_json()
    assert "13800138000" not in held
    assert "example" not in held
    assert "甲" not in held


def test_numbers_are_checked_by_the_rules_of_their_country() -> None:
    assert telephone_number("138 0013 8000", "CN") == "+8613800138000"
    assert telephone_number("+44 7400 123456", "CN") == "+447400123456"
    assert telephone_number("12345", "CN") is None
    assert telephone_number("hello", "CN") is None


def test_findings_are_written_as_a_table_without_formulas(tmp_path: Path) -> None:
    findings_as_csv([RowFinding(2, "areas", RowCode.AREA, "=1+1")], tmp_path / "f.csv")
    assert (tmp_path / "f.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "row,field,code,sentence",
        "2,areas,area,'=1+1",
    ]
    assert spreadsheet_safe("plain") == "plain"
