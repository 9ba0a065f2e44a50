"""What aiosseclient reads of a stream: `pip install aiosseclient`."""

import asyncio
import sys

from aiosseclient import aiosseclient


async def read(url: str) -> None:
    async for event in aiosseclient(url):
        print(event.event, repr(event.data))


asyncio.run(read(sys.argv[1]))
