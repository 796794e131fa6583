"""The lifespan protocol of ASGI, which Django lacks: a server that stops waits for the current batch."""

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
        """Answer the messages of the lifespan protocol; pass everything else to the application."""
        if scope["type"] != "lifespan":
            await self.application(scope, receive, send)
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await asyncio.to_thread(self.shut_down)
        await send({"type": "lifespan.shutdown.complete"})
