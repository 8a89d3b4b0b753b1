"""Names as people write them: how two spellings are the same, and what is left of a name without its kind.

What belongs here: the shape of names. Which place a name means is decided in `lookup`.
"""

import re
import unicodedata

_DROPPED = re.compile(r"[\s()\[\]{}【】〔〕「」『』《》〈〉]+")
_TRAILING = "。，、；：.,;:"

TOWNSHIP_KINDS = ("街道办事处", "街道办", "街道", "民族乡", "民族苏木", "苏木", "镇", "乡")
DISTRICT_KINDS = ("自治县", "自治旗", "新区", "地区", "林区", "特区", "区", "县", "市", "旗")
ABOVE_KINDS = (
    "特别行政区",
    "维吾尔自治区",
    "壮族自治区",
    "回族自治区",
    "自治区",
    "自治州",
    "地区",
    "省",
    "市",
    "盟",
)
VILLAGE_OFFICES = ("居民委员会", "村民委员会", "居委会", "村委会")
"""A village's committee stands for the village."""

# The 55 recognised minorities (GB/T 3304); a township's kind may be preceded by one or more: 竹溪畲族乡.
_MINORITIES = (
    "蒙古族|回族|藏族|维吾尔族|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|傣族|黎族|傈僳族|"
    "佤族|畲族|高山族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|"
    "仡佬族|锡伯族|阿昌族|普米族|塔吉克族|怒族|乌孜别克族|俄罗斯族|鄂温克族|德昂族|保安族|裕固族|京族|塔塔尔族|独龙族|"
    "鄂伦春族|赫哲族|门巴族|珞巴族|基诺族"
)
_MINORITY_ENDING = re.compile(rf"(?:{_MINORITIES})+(?:各族)?$")

SHORTEST_STEM = 2
"""A single character is no name that anyone would use alone."""


def key(name: str) -> str:
    """What two spellings of one name have in common: width, case, white space, brackets, closing marks set aside."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _DROPPED.sub("", folded).strip(_TRAILING)


def stem(name: str, kinds: tuple[str, ...]) -> str:
    """A key without its kind and without the peoples named before it; empty when no name would be left."""
    for kind in kinds:
        if name.endswith(kind):
            left = _MINORITY_ENDING.sub("", name.removesuffix(kind))
            return left if len(left) >= SHORTEST_STEM else ""
    return ""


def village_key(name: str) -> str:
    """The key of a village without its committee: 盛塘村村委会 and 盛塘村委会 are 盛塘村."""
    spelled = key(name)
    for office in VILLAGE_OFFICES:
        if spelled.endswith(office):
            left = spelled.removesuffix(office)
            needs_kind = office.startswith("村") and not left.endswith("村")
            return left + "村" if needs_kind else left
    return spelled
