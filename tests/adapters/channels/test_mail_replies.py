"""What SMTP replies mean for a letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.mail_dialogue import Abilities, Dialogue, Job
from adapters.channels.mail_replies import GREYLISTED_SECONDS, Reply, Step, outcome_of
from adapters.channels.port import Accepted, Later, Outcome, Refused

ADDRESS = "zhang.san@people.example"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("2.0.0 Ok: queued as 4WxYz1234", "4WxYz1234"),
        ("OK id=1tABCD-0000ab-CD", "1tABCD-0000ab-CD"),
        ("2.0.0 5A9xyz012345 Message accepted for delivery", "5A9xyz012345"),
        ("2.6.0 thanks", "2.6.0 thanks"),
        ("", ""),
    ],
)
def test_an_accepted_letter_keeps_the_servers_queue_id(text: str, reference: str) -> None:
    assert outcome_of(Step.END, Reply(250, text), ADDRESS) == Accepted(reference)


@pytest.mark.parametrize(
    ("step", "code", "text", "is_dead"),
    [
        (Step.RCPT, 550, "5.1.1 User unknown", True),
        (Step.RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", True),
        (Step.RCPT, 550, "5.2.1 disabled", True),
        (Step.RCPT, 550, "No such user here", True),
        (Step.RCPT, 553, "mailbox zhang.san not found", True),
        (Step.RCPT, 552, "5.2.2 mailbox full", False),
        (Step.RCPT, 550, "5.7.1 your address is on a list, user unknown to us", False),
        (Step.RCPT, 550, "relaying denied", False),
        (Step.END, 550, "5.1.1 said too late to be sure of", False),
        (Step.MAIL, 552, "5.3.4 too big", False),
        (Step.MAIL, 555, "unknown parameter SMTPUTF8", False),
    ],
)
def test_only_a_recipient_that_is_said_not_to_exist_is_dead(step: Step, code: int, text: str, is_dead: bool) -> None:
    outcome = outcome_of(step, Reply(code, text), ADDRESS)
    assert isinstance(outcome, Refused)
    assert outcome.address_is_dead is is_dead


@pytest.mark.parametrize(
    ("step", "code", "text", "after", "is_down"),
    [
        (Step.RCPT, 450, "4.2.0 Greylisted", GREYLISTED_SECONDS, False),
        (Step.RCPT, 451, "4.7.1 please try again later", GREYLISTED_SECONDS, False),
        (Step.RCPT, 452, "4.2.2 full", 0.0, False),
        (Step.END, 451, "4.3.0 try again later", 0.0, False),
        (Step.RCPT, 421, "4.3.2 going down", 0.0, True),
        (Step.MAIL, 530, "5.7.0 authentication required", 0.0, True),
        (Step.DATA, 250, "what?", 0.0, True),
        (Step.END, 354, "what?", 0.0, True),
    ],
)
def test_what_may_pass_later_is_kept_and_what_is_the_routes_is_the_routes(
    step: Step, code: int, text: str, after: float, is_down: bool
) -> None:
    outcome = outcome_of(step, Reply(code, text), ADDRESS)
    assert isinstance(outcome, Later)
    assert (outcome.after_seconds, outcome.is_route_down) == (after, is_down)


@given(st.text(max_size=300), st.sampled_from(list(Step)), st.integers(200, 599), st.booleans())
def test_no_reason_and_no_reference_holds_the_address(text: str, step: Step, code: int, is_first: bool) -> None:
    said = f"{ADDRESS}{text}" if is_first else f"{text} <{ADDRESS.upper()}> mailbox Zhang.San: {text}"
    outcome = outcome_of(step, Reply(code, said), ADDRESS)
    words = outcome.reference if isinstance(outcome, Accepted) else outcome.reason
    assert "people.example" not in words.lower()
    assert "zhang.san" not in words.lower().replace("\N{LATIN SMALL LETTER LONG S}", "s")
    assert not set(words) & set("\r\n\0")


@given(st.lists(st.integers(1, 60), max_size=40), st.booleans(), st.booleans())
def test_replies_mean_the_same_however_they_are_cut_into_pieces(
    cuts: list[int], pipelining: bool, is_refused: bool
) -> None:
    good = b"250-2.1.0 fine\r\n250 2.1.0 Ok\r\n"
    rcpt = b"550-5.1.1 no\r\n550 5.1.1 such user\r\n" if is_refused else b"250 2.1.5 Ok\n"
    data = b"503 5.5.1 no recipients\r\n250 Ok\r\n" if is_refused else b"354 go\r\n250 2.0.0 Ok: queued as Q1\r\n"
    if is_refused and not pipelining:
        data = b"250 Ok\r\n"
    outcomes: list[Outcome] = []
    job = Job("a@outlet.example", ADDRESS, b"To: x\r\n\r\ntext\r\n.\r\n", outcomes.append, lambda: True)
    jobs = [job]
    dialogue = Dialogue(Abilities(pipelining=pipelining, smtputf8=False), lambda: jobs.pop() if jobs else None)
    written = dialogue.go_on()
    replies = good + rcpt + data
    for cut in [*cuts, len(replies)]:
        piece, replies = replies[:cut], replies[cut:]
        written += dialogue.hear(piece)
    refused = Refused("RCPT: 550 5.1.1 no 5.1.1 such user", address_is_dead=True)
    assert outcomes == [refused if is_refused else Accepted("Q1")]
    assert dialogue.is_idle
    assert (job.content in written) is not is_refused
