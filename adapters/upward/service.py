"""Parent systems beside the stages: a courier hands every release up, a watch reads what is answered later."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

from adapters.connections import OutboundDefinition
from adapters.push.courier import Courier
from adapters.push.pace import Pace
from adapters.push.state import FILE_NAME, PushState
from adapters.push.target import Target
from adapters.upward.definition import ParentDefinition
from adapters.upward.making import ParentEvents, target_of
from adapters.upward.targets import ParentTarget
from adapters.upward.watch import watching
from adapters.wiring import Platform


@contextmanager
def parents(
    platform: Platform,
    definitions: Sequence[ParentDefinition],
    outbound: OutboundDefinition,
    *,
    pace: Pace | None = None,
) -> Iterator[None]:
    """Serve them while this is entered. A parent that is new begins with the next release."""
    if not definitions:
        yield
        return
    data_dir = platform.settings.data_dir
    with ExitStack() as stack:
        stack.enter_context(watching(platform, definitions, data_dir))
        state = stack.enter_context(PushState(data_dir / FILE_NAME))
        # Patience is the courier's, so those who share it share one.
        for seconds in sorted({one.patience_seconds for one in definitions}):
            targets = [
                target_of(platform, one, outbound, data_dir) for one in definitions if one.patience_seconds == seconds
            ]
            own_pace = replace(pace or Pace(), patience=timedelta(seconds=seconds))
            stack.enter_context(_courier(platform, state, targets, own_pace))
        yield


def _courier(platform: Platform, state: PushState, targets: Sequence[ParentTarget], pace: Pace) -> Courier:
    by_id: Mapping[str, ParentTarget] = {target.id: target for target in targets}
    served: Mapping[str, Target] = dict(by_id)

    async def close() -> None:
        await asyncio.gather(*(target.close() for target in targets))

    return Courier(
        platform.log,
        platform.clock,
        state,
        lambda: served,
        ParentEvents(by_id),
        pace=pace,
        close=close,
    )
