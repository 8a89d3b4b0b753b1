"""Which column of a table says what: by its heading in Chinese or English, or as a mapping file says.

A heading that says nothing we know is left out and named; a field that two columns claim is an error.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "key": ("key", "id", "编号", "序号", "人员编号"),
    "name": ("name", "姓名", "名称", "联系人", "责任人"),
    "phone": ("phone", "mobile", "telephone", "手机", "手机号", "手机号码", "联系电话", "电话"),
    "email": ("email", "e-mail", "mail", "邮箱", "电子邮箱", "电子邮件"),
    "screen": ("screen", "屏幕", "终端编号"),
    "role": ("role", "角色", "职务", "岗位", "责任人类型"),
    "post": ("post", "责任点", "点位"),
    "turn": ("turn", "顺序", "联系顺序"),
    "areas": ("areas", "area", "area_code", "区划代码", "行政区划代码", "区域", "责任区域"),
    "hazards": ("hazards", "hazard", "灾种", "灾害类型"),
    "level_min": ("level_min", "level", "最低级别", "预警级别"),
    "language": ("language", "lang", "语言"),
    "channels": ("channels", "channel", "渠道", "接收方式"),
    "latitude": ("latitude", "lat", "纬度"),
    "longitude": ("longitude", "lon", "lng", "经度"),
    "radius_km": ("radius_km", "radius", "半径", "半径（公里）", "半径(公里)"),
}
"""Every field of a row, with the headings by which it is known."""

_KNOWN: Final = {heading.casefold(): field for field, headings in FIELDS.items() for heading in headings}


class ColumnsError(Exception):
    """The headings or the mapping cannot be used; `problems` lists every reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep every problem."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Columns:
    """By field, the heading of its column; and the headings that are passed over."""

    of_field: Mapping[str, str]
    passed_over: tuple[str, ...]


def columns_of(headings: Sequence[str], mapping: Mapping[str, str] | None = None) -> Columns:
    """Which heading stands for which field; `mapping` (field to heading) goes before what a heading says by itself.

    Raises:
        ColumnsError: a mapped heading is not there, a field is claimed twice, or no column says how to reach anybody.
    """
    problems: list[str] = []
    found: dict[str, str] = {}
    for field, heading in (mapping or {}).items():
        if field not in FIELDS:
            problems.append(f"mapping: there is no field {field!r}; there are {', '.join(FIELDS)}")
        elif heading not in headings:
            problems.append(f"mapping: there is no column {heading!r}; there are {', '.join(headings)}")
        else:
            found[field] = heading
    mapped = set(found.values())
    for heading in headings:
        field = _KNOWN.get(heading.strip().casefold(), "")
        if heading in mapped or not field or field in (mapping or {}):
            continue
        if field in found:
            problems.append(f"the columns {found[field]!r} and {heading!r} both say {field}; name one in the mapping")
        else:
            found[field] = heading
    if not problems and not {"phone", "email", "screen"} & found.keys():
        problems.append(f"no column says how to reach anybody; there are {', '.join(headings) or 'no columns'}")
    if problems:
        raise ColumnsError(problems)
    used = set(found.values())
    return Columns(of_field=found, passed_over=tuple(heading for heading in headings if heading not in used))


def mapping_in(path: Path) -> Mapping[str, str]:
    """A mapping file: TOML with a table `columns` of field to heading.

    Raises:
        ColumnsError: it is not one.
        OSError: it cannot be read.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ColumnsError([f"{path}: not TOML: {error}"]) from error
    columns = document.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(heading, str) for heading in columns.values()):
        raise ColumnsError([f"{path}: a table [columns] of field = heading is needed"])
    return columns
