"""The public read API: what has been released, and nothing else.

Everything answered here comes from `WarningReleased` events in live mode: no unreleased revision, no drill, no
person's name. Not here: taking messages in, the console, anything that needs a key.
"""

from adapters.http.public.router import PublicRouter, public_router
from adapters.http.public.streaming import StreamOptions

__all__ = ["PublicRouter", "StreamOptions", "public_router"]
