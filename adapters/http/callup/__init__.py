"""The page of a call-up: `call_up_router(platform, links)` gives its routes. Start in `router.py`.

Whoever was called up sees there what they have to confirm, confirms it, and answers. Nothing changes by looking.
"""

from adapters.http.callup.router import call_up_router

__all__ = ("call_up_router",)
