"""The page of a call-up over HTTP: looking changes nothing, the button confirms, and questions are answered there."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from adapters.http.app import create_app
from adapters.http.callup import call_up_router
from adapters.http.callup.book import CallUpBook
from adapters.http.callup.page import HEADERS, TEMPLATES, Pages
from adapters.http.callup.wording import WORDS
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import serving
from adapters.http.settings import HttpSettings, Rate
from adapters.links import Links
from domain.callup import LONGEST_ANSWER
from domain.callup_events import CALL_UP_EVENTS, CallUpAnswered, CallUpConfirmed
from domain.callup_state import call_up_subject
from domain.levels import Level
from domain.messages import Mode
from domain.notices import Purpose
from domain.outlet import stream_id_of
from domain.ports import LogUnavailableError
from domain.telling_events import SendingResumed
from streams.callup import stop_call_ups
from tests.streams.called import Bureau, bureau_in, person

KEY = bytes(32)


@dataclass
class Site:
    """A listening outlet with people who can be called up, and what somebody does with their page."""

    bureau: Bureau
    client: httpx.Client

    def token(self, number: int = 1, mode: Mode = Mode.LIVE) -> str:
        subject = call_up_subject(mode, self.bureau.warning_id)
        return Links(KEY).token(Purpose.CALL_UP, subject, number)

    def look(self, number: int = 1, *, mode: Mode = Mode.LIVE, query: str = "", status: int = 200) -> "Shown":
        return self.shown(self.client.get(f"/c/{self.token(number, mode)}{query}"), status)

    def send(
        self, step: str, answers: dict[str, str] | None = None, *, number: int = 1, query: str = "", status: int = 200
    ) -> "Shown":
        fields = {"step": step, **{f"q-{name}": text for name, text in (answers or {}).items()}}
        answer = self.client.post(f"/c/{self.token(number)}{query}", data=fields)
        self.bureau.platform.runner.pump()
        return self.shown(answer, status)

    @staticmethod
    def shown(answer: httpx.Response, status: int) -> "Shown":
        assert answer.status_code == status, answer.text
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        return Shown(answer, html.document_fromstring(answer.content.decode()))


@dataclass
class Shown:
    """A page as it came."""

    answer: httpx.Response
    root: html.HtmlElement

    @property
    def text(self) -> str:
        return " ".join(str(self.root.xpath("string(//body)")).split())

    @property
    def step(self) -> str:
        found = self.root.xpath("//input[@name='step']/@value")
        return str(found[0]) if found else ""

    @property
    def questions(self) -> list[str]:
        return [str(name).removeprefix("q-") for name in self.root.xpath("//textarea/@name")]

    def answer_to(self, question: str) -> str:
        # A browser leaves the first line end of a textarea out; without it an answer's own would be lost.
        return str(self.root.xpath("string(//textarea[@id=$id])", id=f"q-{question}")).removeprefix("\n")


@contextmanager
def site_in(folder: Path, settings: HttpSettings | None = None) -> Iterator[Site]:
    unlimited = Rate(per_second=1_000_000, burst=1_000_000)
    limits = settings or HttpSettings(public_rate=unlimited)
    with ExitStack() as stack:
        bureau = stack.enter_context(bureau_in(folder, [person(1), person(2, "dam", 1), person(3, "dam", 2)]))
        keys = stack.enter_context(AgencyKeys(folder / FILE_NAME))
        router = call_up_router(bureau.platform, Links(KEY))
        app = create_app(bureau.platform, keys, settings=limits, routers=[router])
        stack.callback(app.shut)
        at = stack.enter_context(serving(app, "127.0.0.1", 0, limits))
        client = httpx.Client(base_url=at.url, timeout=30, trust_env=False, follow_redirects=True)
        yield Site(bureau, stack.enter_context(client))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Number 1 answers alone, 2 and 3 share a post; all are called up for a red flash flood."""
    with site_in(tmp_path) as made:
        made.bureau.deliver("a", 0)
        yield made


def recorded(site: Site) -> int:
    return len(site.bureau.events(*CALL_UP_EVENTS))


def test_looking_at_a_page_changes_nothing_however_often_and_whoever_looks(site: Site) -> None:
    before = site.bureau.platform.log.head()
    for agent in ("Mozilla/5.0", "Microsoft Office Existence Discovery", "WhatsApp/2"):
        for method in ("GET", "HEAD"):
            answer = site.client.request(method, f"/c/{site.token()}", headers={"User-Agent": agent})
            assert (answer.status_code, bool(answer.content)) == (200, method == "GET")
    assert site.bureau.platform.log.head() == before


def test_the_page_says_what_is_asked_where_and_when_with_colour_and_word(site: Site) -> None:
    shown = site.look()
    assert (shown.root.get("lang"), shown.step) == ("zh-CN", "confirm")
    for words in ("上虞区", "山洪", "红色", "2022-09-13 08:00 (UTC+08:00)", WORDS["zh-CN"].please_confirm):
        assert words in shown.text
    assert shown.root.xpath("//time/@datetime") == ["2022-09-13T08:00:00+08:00"]
    assert shown.root.xpath("//ul[@class='hazards']/li/@class") == ["red"]
    assert [button.text for button in shown.root.xpath("//button")] == ["已收到"]


def test_the_button_confirms_and_loading_the_page_again_does_not_confirm_again(site: Site) -> None:
    shown = site.send("confirm")
    assert [one.status_code for one in shown.answer.history] == [303]
    [confirmed] = site.bureau.events(CallUpConfirmed)
    assert (confirmed.number, confirmed.how) == (1, "link")
    assert WORDS["zh-CN"].confirmed.format(time="2022-09-13 08:00 (UTC+08:00)") in shown.text
    before = recorded(site)
    assert site.look().text == shown.text
    site.send("confirm")
    assert recorded(site) == before


def test_one_of_a_post_confirms_for_it(site: Site) -> None:
    site.send("confirm", number=3)
    assert site.look(2).step == "answers"
    assert site.look(1).step == "confirm"


def test_after_the_confirmation_the_policys_questions_are_asked_and_answers_kept(site: Site) -> None:
    asked = site.bureau.platform.policy.callup.questions
    assert len(asked) == 3
    shown = site.send("confirm", query="?lang=en")
    assert shown.questions == [question.id for question in asked]
    assert [label.text for label in shown.root.xpath("//label")] == [question.names["en"] for question in asked]
    assert shown.root.xpath("//label/@for") == shown.root.xpath("//textarea/@id")
    answers = {question.id: f"<b>answer {place}</b>\n& more" for place, question in enumerate(asked)}
    shown = site.send("answers", answers, query="?lang=en")
    assert WORDS["en"].answered in shown.text
    assert {question: shown.answer_to(question) for question in shown.questions} == answers
    assert not shown.root.xpath("//b")
    [answered] = site.bureau.events(CallUpAnswered)
    assert {one.question: one.text for one in answered.answers} == answers
    assert not answered.is_report


def test_a_part_of_the_questions_may_be_answered_and_the_rest_later(site: Site) -> None:
    first, second, *_ = (question.id for question in site.bureau.platform.policy.callup.questions)
    site.send("confirm")
    site.send("answers", {first: "张三在现场", second: "  "})
    shown = site.send("answers", {first: "张三在现场", second: "3"})
    assert (shown.answer_to(first), shown.answer_to(second)) == ("张三在现场", "3")


@pytest.mark.parametrize(("text", "words"), [(" ", "nothing_answered"), ("x" * (LONGEST_ANSWER + 1), "too_long")])
def test_an_answer_that_cannot_be_taken_is_told_and_what_was_written_stays(site: Site, text: str, words: str) -> None:
    question = site.bureau.platform.policy.callup.questions[0].id
    site.send("confirm")
    shown = site.send("answers", {question: text}, status=422)
    assert shown.root.xpath("string(//*[@role='alert'])") == getattr(WORDS["zh-CN"], words)
    assert shown.answer_to(question) == text
    assert site.bureau.events(CallUpAnswered) == []


def test_after_the_lifting_the_page_says_so_and_asks_for_the_report(site: Site) -> None:
    site.send("confirm")
    site.bureau.deliver("b", 5, kind="Cancel", references=(("a", 0),))
    shown = site.look()
    assert WORDS["zh-CN"].lifted in shown.text
    asked = site.bureau.platform.policy.callup.report_questions
    assert (shown.step, shown.questions) == ("report", [question.id for question in asked])
    shown = site.send("report", {asked[0].id: "雨量 120 毫米"})
    assert WORDS["zh-CN"].reported in shown.text
    [answered] = site.bureau.events(CallUpAnswered)
    assert (answered.is_report, answered.number) == (True, 1)


def test_a_button_pressed_after_the_lifting_confirms_nothing_and_says_that_it_is_over(site: Site) -> None:
    assert site.look().step == "confirm"
    site.bureau.deliver("b", 5, kind="Cancel", references=(("a", 0),))
    shown = site.send("confirm", status=422)
    assert WORDS["zh-CN"].lifted in shown.text
    assert site.bureau.events(CallUpConfirmed) == []


def test_a_newer_round_is_what_the_page_asks_about(tmp_path: Path) -> None:
    with site_in(tmp_path) as site:
        site.bureau.deliver("a", 0, level="orange")
        site.bureau.wait_until(3)
        site.send("confirm")
        site.bureau.deliver("b", 5, kind="Update", references=(("a", 0),))
        shown = site.look()
        assert (shown.step, shown.root.xpath("//li/@class")) == ("confirm", ["red"])


def test_a_drill_says_that_it_is_one_at_its_beginning_and_its_end_until_it_is_stopped(tmp_path: Path) -> None:
    with site_in(tmp_path) as site:
        site.bureau.roster(person(7, roster="exercise", mode=Mode.DRILL), name="exercise", mode=Mode.DRILL)
        site.bureau.deliver("d", 0, status="Exercise")
        for query, mark in (("?lang=zh", "【演练】"), ("?lang=en", "[DRILL]")):
            shown = site.look(7, mode=Mode.DRILL, query=query)
            assert shown.text.startswith(mark)
            assert shown.text.endswith(mark)
            title = shown.root.findtext(".//title") or ""
            assert (title.startswith(mark), title.endswith(mark)) == (True, True)
        warning = site.bureau.warning_id
        site.bureau.platform.runner.act(lambda house, now: stop_call_ups(house, Mode.DRILL, warning, now))
        shown = site.look(7, mode=Mode.DRILL)
        assert WORDS["zh-CN"].stopped in shown.text
        assert shown.step == ""


def test_a_live_page_bears_no_mark(site: Site) -> None:
    assert "演练" not in site.look().text


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "zh-CN"),
        ({"Accept-Language": "en-GB,en;q=0.9"}, "", "en"),
        ({"Accept-Language": "en;q=0.3, zh-Hans;q=0.8"}, "", "zh-CN"),
        ({"Accept-Language": "fr, *;q=0.5"}, "", "zh-CN"),
        ({"Accept-Language": "en;q=0, zh;q=nonsense"}, "", "zh-CN"),
        ({"Accept-Language": "zh-CN"}, "?lang=en", "en"),
        ({"Accept-Language": "en"}, "?lang=fr", "en"),
    ],
)
def test_the_language_is_the_readers_and_can_be_chosen(
    site: Site, headers: dict[str, str], query: str, language: str
) -> None:
    answer = site.client.get(f"/c/{site.token()}{query}", headers=headers)
    shown = site.shown(answer, 200)
    assert (shown.root.get("lang"), answer.headers["content-language"]) == (language, language)
    assert shown.root.xpath("//a/@href") == ["?lang=en" if language == "zh-CN" else "?lang=zh"]


def test_a_link_that_was_made_for_something_else_opens_nothing(site: Site) -> None:
    subject = call_up_subject(Mode.LIVE, site.bureau.warning_id)
    good = site.token()
    strangers = [
        Links(b"x" * 32).token(Purpose.CALL_UP, subject, 1),  # forged
        Links(KEY).token(Purpose.SUBSCRIPTION, subject, 1),
        Links(KEY).token(Purpose.CALL_UP, UUID(int=1), 1),  # nothing was ever called up there
        Links(KEY).token(Purpose.CALL_UP, subject, 99),  # of no post
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        "x",
        "%00",
    ]
    before = site.bureau.platform.log.head()
    for token in strangers:
        for answer in (site.client.get(f"/c/{token}"), site.client.post(f"/c/{token}", data={"step": "confirm"})):
            shown = site.shown(answer, 404)
            assert WORDS["zh-CN"].unknown in shown.text
            assert not shown.root.xpath("//form")
    assert site.bureau.platform.log.head() == before


@pytest.mark.parametrize(
    "body",
    [b"", b"step=", b"step=erase", b"\xff\xfe", b"step=confirm%FF", b"{}", b"&".join(b"a=1" for _ in range(99))],
)
def test_a_form_that_asks_for_nothing_that_there_is_changes_nothing(site: Site, body: bytes) -> None:
    before = site.bureau.platform.log.head()
    site.shown(site.client.post(f"/c/{site.token()}", content=body), 422)
    assert site.bureau.platform.log.head() == before


def test_a_form_that_is_too_large_is_not_read(site: Site) -> None:
    answer = site.client.post(f"/c/{site.token()}", content=b"step=confirm&q-x=" + b"x" * 100_000)
    assert answer.status_code == 413
    assert site.bureau.events(CallUpConfirmed) == []


def test_while_the_log_is_out_of_reach_the_page_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise LogUnavailableError("the disk is away")

    token = site.token()
    monkeypatch.setattr(site.bureau.platform.log, "stream", breaks)
    for answer in (site.client.get(f"/c/{token}"), site.client.post(f"/c/{token}", data={"step": "confirm"})):
        shown = site.shown(answer, 503)
        assert answer.headers["retry-after"] == "5"
        assert WORDS["zh-CN"].unavailable in shown.text


def test_an_address_that_asks_too_often_is_told_to_wait(tmp_path: Path) -> None:
    with site_in(tmp_path, HttpSettings(public_rate=Rate(per_second=0.001, burst=3))) as site:
        site.bureau.deliver("a", 0)
        token = site.token()
        assert [site.client.get(f"/c/{token}").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_pages_hold_no_script_and_load_nothing(site: Site) -> None:
    for shown in (site.look(), site.send("confirm"), site.shown(site.client.get("/c/x"), 404)):
        root = shown.root
        assert not root.xpath(
            "//script | //link | //img | //iframe | //@src | //@style | //@*[starts-with(name(), 'on')]"
        )
        [style] = root.xpath("//style/text()")
        assert not re.search(r"@import|url\(", style)
        policy = shown.answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert root.xpath("//meta[@name='robots']/@content") == ["noindex, nofollow, noarchive"]
        assert root.xpath("//meta[@name='viewport']")


def test_where_the_policy_asks_nothing_there_is_nothing_left_to_do(site: Site) -> None:
    platform, subject = site.bureau.platform, call_up_subject(Mode.LIVE, site.bureau.warning_id)
    asking = platform.policy.callup
    silent = asking.model_copy(update={"questions": (), "report_questions": ()})
    pages = Pages(platform.policy.model_copy(update={"callup": silent}), platform.gazetteer)
    book = CallUpBook(platform.log)
    site.send("confirm")
    for minute in (1, 5):
        state = book.of(subject)
        assert state is not None
        page = pages.page(state, 1, "en")
        assert page is not None
        assert (page.step, page.questions) == ("", ())
        assert WORDS["en"].nothing_to_do in page.notices
        site.bureau.deliver(f"b{minute}", minute, kind="Cancel", references=(("a", 0),))


def test_what_is_no_call_up_is_never_shown_as_one(site: Site) -> None:
    stream = stream_id_of("a misplaced one")
    event = SendingResumed(at=site.bureau.platform.clock.now(), by="officer 7", reason="misplaced")
    site.bureau.platform.runner.record(stream, event)
    with pytest.raises(TypeError, match="SendingResumed begins no call-ups"):
        CallUpBook(site.bureau.platform.log).of(stream)


def test_the_pages_of_more_warnings_than_are_kept_are_right_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.callup.book.KEPT", 1)
    first = site.token()
    site.bureau.deliver("c", 1, codes=("330683",))
    site.bureau.roster(person(1, areas=("330604", "330683")))
    site.bureau.deliver("d", 2, agency="meteorology", hazard="11B03", codes=("330683",))
    assert site.token() != first
    for _ in range(2):
        assert "上虞区" in site.shown(site.client.get(f"/c/{first}"), 200).text
        assert "嵊州市" in site.look().text


def test_every_level_has_its_colour() -> None:
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    for level in Level:
        assert f".hazards .{level.value}{{border-left-color:#" in style


def test_the_pages_address_is_not_part_of_the_api(site: Site) -> None:
    assert not [path for path in site.client.get("/openapi.json").json()["paths"] if path.startswith("/c/")]


@given(st.text(max_size=200))
def test_no_text_in_accept_language_breaks_a_page(text: str) -> None:
    from starlette.requests import Request  # noqa: PLC0415 -- the one test that makes a request by hand

    from adapters.http.callup.wording import language_of  # noqa: PLC0415

    header = (b"accept-language", text.encode("utf-8", "replace"))
    scope = {"type": "http", "headers": [header], "query_string": b"", "method": "GET", "path": "/"}
    assert language_of(Request(scope), "en") in WORDS
