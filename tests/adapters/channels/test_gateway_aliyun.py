"""Requests as Aliyun documents them: its printed signatures, and letters by templates against a server that checks."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from adapters.channels.gateway_callbacks import Callback, Subject
from adapters.channels.gateway_profile import Scheme, Signing
from adapters.channels.gateway_profiles import GatewaySetupError
from adapters.channels.gateway_signing import Draft, Key, signed
from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Later, Outcome, Refused
from tests.adapters.channels.gateway_house import (
    CALLED_BY,
    SECRET,
    base_of,
    letter,
    opened,
    route,
    run,
    said,
    sent,
    worded,
)
from tests.adapters.webhooks.receivers import Reply, Taken, receiving

ACCOUNT: dict[str, Any] = {
    "profile": "aliyun",
    "key_id": "LTAI-example",
    "sign_name": "绍兴发布",
    "template_code": "SMS_1",
    "template_codes": {"en": "SMS_2"},
}


def test_the_v3_signature_is_that_of_the_printed_example() -> None:
    """help.aliyun.com, "V3 request structure and signature", the example with fixed parameters."""
    draft = Draft(
        "POST",
        "https://ecs.cn-shanghai.aliyuncs.com",
        "/",
        (("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")),
        {"x-acs-action": "RunInstances", "x-acs-version": "2014-05-26"},
    )
    now = datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC)
    nonce = "3156853299f313e23d1673dc12e1703d"
    key = Key("YourAccessKeyId", b"YourAccessKeySecret")
    found = signed(draft, Signing(scheme=Scheme.ALIYUN_ACS3), key, now, nonce)
    assert found.headers["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )
    assert found.url.endswith("/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai")


@pytest.mark.parametrize("is_form", [False, True])
def test_the_v1_signature_is_that_of_the_printed_example(is_form: bool) -> None:
    """Aliyun's "Signature method" of its short message service: SendSms with HMAC-SHA1, by GET."""
    own = {
        "Action": "SendSms",
        "Format": "XML",
        "OutId": "123",
        "PhoneNumbers": "15300000001",
        "RegionId": "cn-hangzhou",
        "SignName": "阿里云短信测试专用",
        "TemplateCode": "SMS_71390007",
        "TemplateParam": '{"customer":"test"}',
        "Version": "2017-05-25",
    }
    pairs = tuple(own.items())
    base = "https://dysmsapi.aliyuncs.com"
    draft = Draft("GET", base, "/", form=pairs) if is_form else Draft("GET", base, "/", pairs)
    now = datetime(2017, 7, 12, 2, 42, 19, tzinfo=UTC)
    nonce = "45e25e9b-0a6f-4070-8c85-2956eda1b466"
    found = signed(draft, Signing(scheme=Scheme.ALIYUN_HMAC_SHA1), Key("testId", b"testSecret"), now, nonce)
    assert dict(found.form or found.query)["Signature"] == "zJDF+Lrzhj/ThnlvIToysFRq6t4="


def is_signed(taken: Taken, host: str) -> bool:
    """As the document says it, without a line of ours."""
    proof = dict(part.split("=", 1) for part in taken.headers["authorization"].split(" ", 1)[1].split(","))
    names = proof["SignedHeaders"].split(";")
    lines = "".join(f"{name}:{host if name == 'host' else taken.headers[name]}\n" for name in names)
    parts = urlsplit(taken.path)
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
    )
    digest = sha256(taken.body).hexdigest()
    canonical = "\n".join(("POST", parts.path, query, lines, proof["SignedHeaders"], digest))
    content = "ACS3-HMAC-SHA256\n" + sha256(canonical.encode()).hexdigest()
    due = hmac.new(SECRET.encode(), content.encode(), sha256).hexdigest()
    return proof["Signature"] == due and taken.headers["x-acs-content-sha256"] == digest


def ok(_taken: Taken, _count: int) -> Reply:
    return said(Code="OK", Message="OK", BizId="900619746936498440^0", RequestId="F655A8D5")


def query_of(taken: Taken) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(taken.path).query))


def test_a_letter_goes_as_a_parameter_of_the_template_behind_the_signature_and_is_signed(tmp_path: Path) -> None:
    with receiving(ok) as gateway:
        [outcome] = sent(route(tmp_path, base_of(gateway), **ACCOUNT), letter())
        host = urlsplit(gateway.url).netloc
    assert outcome == Accepted("7-1"), "reports name our id, which is known even where no answer came"
    [taken] = gateway.taken
    assert is_signed(taken, host)
    assert taken.headers["x-acs-action"] == "SendSms"
    assert query_of(taken) == {
        "PhoneNumbers": "13800000001",
        "SignName": "绍兴发布",
        "TemplateCode": "SMS_1",
        "TemplateParam": '{"content":"上虞区暴雨红色预警，请立即转移避险。"}',
        "OutId": "7-1",
    }


def test_a_long_text_fills_the_pieces_of_its_template_and_none_is_longer_than_allowed(tmp_path: Path) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(75))
    pieces = {"pieces": 3, "longest_piece": 35, "one_line": True}
    params = {"a": "{text_1}", "b": "{text_2}", "c": "{text_3}"}
    english = worded(text).model_copy(update={"language": "en"})
    with receiving(ok) as gateway:
        channel = route(tmp_path, base_of(gateway), **ACCOUNT, text=pieces, template_params=params)
        outcomes = sent(channel, letter(text=english), letter(text=worded(text + text)))
    found = json.loads(query_of(gateway.taken[0])["TemplateParam"])
    assert "".join(found.values()) == text
    assert [len(piece) for piece in found.values()] == [35, 35, 5]
    assert query_of(gateway.taken[0])["TemplateCode"] == "SMS_2", "a language may have a template of its own"
    assert outcomes[1] == Refused("150 characters, and 105 are the most")


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", Refused("", address_is_dead=True)),
        ("isv.BUSINESS_LIMIT_CONTROL", Later("")),
        ("isv.AMOUNT_NOT_ENOUGH", Later("", is_route_down=True)),
        ("isv.SMS_TEMPLATE_ILLEGAL", Later("", is_route_down=True)),
        ("Throttling.User", Later("", is_route_down=True)),
        ("isv.PARAM_LENGTH_LIMIT", Refused("")),
        ("isv.SOMETHING_NEW", Later("", in_doubt=True)),
    ],
)
def test_its_codes_mean_what_they_say(tmp_path: Path, code: str, outcome: Outcome) -> None:
    with receiving(lambda _taken, _count: said(Code=code, Message="words")) as gateway:
        [found] = sent(route(tmp_path, base_of(gateway), **ACCOUNT), letter())
    assert isinstance(found, (Later, Refused))
    assert code in found.reason
    assert type(found)(**{**{name: getattr(found, name) for name in found.__slots__}, "reason": ""}) == outcome


def test_its_reports_are_read_and_answered_as_it_expects(tmp_path: Path) -> None:
    report = (
        '[{"phone_number": "13800000001", "send_time": "2026-09-13 15:00:00", "report_time": "2026-09-13 15:00:02",'
        ' "success": true, "err_code": "DELIVERED", "sms_size": "1", "biz_id": "1^0", "out_id": "7-1"},'
        ' {"phone_number": "13800000002", "send_time": "2026-09-13 15:00:00", "report_time": "2026-09-13 15:00:02",'
        ' "success": false, "err_code": "MK:0001", "sms_size": "1", "biz_id": "2^0", "out_id": "7-2"}]'
    )
    reply = (
        '[{"phone_number": "13800000003", "send_time": "20260913150010", "content": "已收到", "sign_name": "绍兴发布",'
        ' "dest_code": "1234", "sequence_id": 1234567890}]'
    )

    async def play() -> list[DeliveryReceipt | Incoming]:
        channel = route(tmp_path, "https://dysmsapi.example", **ACCOUNT)
        async with opened(channel):
            for subject, body in ((Subject.RECEIPTS, report), (Subject.MESSAGES, reply)):
                answer = channel.take(Callback(subject, "/x", {}, body.encode(), CALLED_BY))
                assert json.loads(answer.body)["code"] == 0
            came = channel.receipts()
            return [await anext(came) for _ in range(3)]

    delivered, failed, incoming = run(play())
    assert delivered == DeliveryReceipt("7-1", "delivered", datetime(2026, 9, 13, 7, 0, 2, tzinfo=UTC))
    assert failed == DeliveryReceipt("7-2", "failed", datetime(2026, 9, 13, 7, 0, 2, tzinfo=UTC), "MK:0001")
    assert (incoming.address, incoming.text) == ("+8613800000003", "已收到")


def test_a_route_without_key_template_or_secret_is_not_set_up(tmp_path: Path) -> None:
    bare: dict[str, Any] = {"profile": "aliyun", "key_id": "", "secret_file": None, "callback_secret_file": None}
    with pytest.raises(GatewaySetupError) as found:
        route(tmp_path, "https://dysmsapi.example", **bare)
    assert [problem.partition(" ")[0] for problem in found.value.problems] == [
        "secret_file",
        "key_id",
        "callback_secret_file",
        "template_code",
    ]
