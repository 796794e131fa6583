"""Let an ASGI server that stops wait for the batch in hand, by the lifespan protocol, which Django does not speak."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class Lifespan:
    """An ASGI application that calls `shut_down` when its server stops."""

    def __init__(self, application: Application, shut_down: Callable[[], None]) -> None:
        """Wrap `application`."""
        self.application, self.shut_down = application, shut_down

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer the lifespan's messages; leave all else to the application."""
        if scope["type"] != "lifespan":
            await self.application(scope, receive, send)
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await asyncio.to_thread(self.shut_down)
        await send({"type": "lifespan.shutdown.complete"})
