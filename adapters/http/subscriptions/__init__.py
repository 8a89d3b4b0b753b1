"""Subscribers serve themselves over HTTP: the API, pages without a script, and mail programs' one-click requests.

Start with `router.subscriptions_router(desk)`. What subscribing means is `adapters.subscriptions`' and the domain's.
"""

from adapters.http.subscriptions.router import subscriptions_router

__all__ = ["subscriptions_router"]
