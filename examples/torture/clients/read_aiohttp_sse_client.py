"""What aiohttp-sse-client reads of a stream: `pip install aiohttp-sse-client`."""

import asyncio
import sys

from aiohttp_sse_client.client import EventSource


async def read(url: str) -> None:
    async with EventSource(url, on_error=sys.exit) as events:  # it would come back for ever
        async for event in events:
            print(event.message, repr(event.data))


asyncio.run(read(sys.argv[1]))
