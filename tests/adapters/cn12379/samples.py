"""A made-up 12379 message and ways to change it; no real message stands here."""

import zipfile
from io import BytesIO

IDENTIFIER = "33060041600000_20300607080910"

MESSAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="http://com.icss.amp">
  <identifier>{IDENTIFIER}</identifier>
  <sender>样例市气象局</sender>
  <senderCode>33060041600000</senderCode>
  <phone>57500001111</phone>
  <sendTime>2030-06-07 08:09:10+08:00</sendTime>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <code>
    <method>
      <methodName>SMS</methodName>
      <message>样例短信</message>
      <audienceGrp>G01,G02</audienceGrp>
      <audenceprt>王某某</audenceprt>
    </method>
  </code>
  <secClassification>None</secClassification>
  <note></note>
  <references></references>
  <info>
    <language>zh-CN</language>
    <eventType>11B03</eventType>
    <urgency>Unknown</urgency>
    <severity>Orange</severity>
    <certainty>Unknown</certainty>
    <effective>2030-06-07 08:09:10+08:00</effective>
    <onset></onset>
    <expires>2030-06-07 14:09:10+08:00</expires>
    <senderName>王某某</senderName>
    <headline>样例市发布暴雨橙色预警</headline>
    <description>  预计未来三小时有暴雨。
  请注意防范。 </description>
    <instruction>远离河道。</instruction>
    <web></web>
    <area>
      <areaDesc>样例区</areaDesc>
      <polygon>30.0,120.0 30.0,120.5 30.5,120.5 30.0,120.0</polygon>
      <circle>30.25,120.25 2500</circle>
      <geocode>330602000000,330603000000,330602000000</geocode>
    </area>
  </info>
</alert>
"""


def with_value(name: str, value: str, message: str = MESSAGE) -> bytes:
    """The message with the first element of that name holding another text."""
    before, opening, rest = message.partition(f"<{name}>")
    _, closing, after = rest.partition(f"</{name}>")
    assert opening, name
    assert closing, name
    return f"{before}{opening}{value}{closing}{after}".encode()


def without(name: str, message: str = MESSAGE) -> str:
    """The message without the first element of that name."""
    before, opening, rest = message.partition(f"<{name}>")
    _, closing, after = rest.partition(f"</{name}>")
    assert opening, name
    assert closing, name
    return before + after


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
