"""How the policy changes: its adoption is an event, and every warning in force is merged again under it."""

from collections.abc import Sequence

from domain.events import PolicyAdopted
from domain.messages import Mode
from domain.outlet import Recompose, stream_id_of
from domain.policy import Policy
from domain.ports import EventLog
from domain.values import Moment
from streams.district import act
from streams.house import House

POLICY_STREAM = stream_id_of("policy")


def adopted_policy(log: EventLog) -> PolicyAdopted | None:
    """The policy adopted last."""
    adopted: PolicyAdopted | None = None
    for recorded in log.stream(POLICY_STREAM):
        if isinstance(recorded.event, PolicyAdopted):
            adopted = recorded.event
    return adopted


def adopt(house: House, policy: Policy, text: str, in_force: Sequence[tuple[str, Mode]], now: Moment) -> None:
    """Record the adoption and merge the districts in force again; the caller commits."""
    house.policy = policy
    house.ledger.add_to_stream(POLICY_STREAM, PolicyAdopted(at=now, policy_sha256=policy.sha256, text=text))
    for district, mode in in_force:
        act(house, district, mode, Recompose(), now)
