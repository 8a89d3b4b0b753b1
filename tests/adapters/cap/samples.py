"""CAP messages made here, one part of which a test can replace."""

from collections.abc import Sequence

from adapters.cap import CapChecks, CapReader
from adapters.cap.vocabulary import CAP_1_2
from domain.findings import Code, Finding, RefusedMessageError
from domain.messages import AgencyMessage

RING = "30.1,120.1 30.1,120.3 30.3,120.3 30.1,120.1"

AREA = f"""<area><areaDesc> 绍兴市 </areaDesc><polygon>{RING}</polygon><circle>30.0,120.5 12.5</circle>
<geocode><valueName>division</valueName><value>330602</value></geocode><altitude>10</altitude></area>"""

INFO = f"""<info><language>zh-CN</language><category>Met</category><event>暴雨</event>
<responseType>Prepare</responseType><urgency>Expected</urgency><severity>Severe</severity>
<certainty>Likely</certainty><eventCode><valueName>national</valueName><value>11B03</value></eventCode>
<effective>2026-05-16T08:00:00+08:00</effective><expires>2026-05-17T08:00:00+08:00</expires>
<headline> 暴雨橙色预警 </headline><description>
  第一行 &lt;b&gt;粗&lt;/b&gt;
</description><instruction>转移</instruction>
<parameter><valueName>colour</valueName><value> orange </value></parameter>
<parameter><valueName>empty</valueName><value/></parameter>
<resource><resourceDesc>图</resourceDesc><mimeType>image/png</mimeType><uri>https://example.org/a.png</uri></resource>
{AREA}</info>"""

ALERT = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="{CAP_1_2}"><identifier>id-1</identifier><sender>a@example.org</sender>
<sent>2026-05-16T08:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType>
<scope>Public</scope>{INFO}</alert>"""


def alert(*changes: tuple[str, str]) -> bytes:
    """The message with texts replaced; each must be there."""
    text = ALERT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def read(content: bytes, checks: CapChecks | None = None) -> AgencyMessage:
    """The one message in the bytes."""
    (message,) = CapReader(checks).read(content)
    return message


def refusals(content: bytes, checks: CapChecks | None = None) -> Sequence[Finding]:
    """What the message is refused for; it must be."""
    try:
        CapReader(checks).read(content)
    except RefusedMessageError as error:
        return [finding for finding in error.findings if finding.refuses]
    raise AssertionError("the message was read")


def noted(content: bytes, checks: CapChecks | None = None) -> set[Code]:
    """The codes of what is noted on a message that is read."""
    return {finding.code for finding in read(content, checks).notes}
