"""mockd in an app that puts handlers of its own before the server's."""

import signal
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

import mockd

mocks = mockd.create_app(mockd.Settings.from_env())


@asynccontextmanager
async def lifespan(app):
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        signal.signal(number, lambda *call, before=before: before(*call))
    yield


app = Starlette(routes=[Mount("/a", mocks), Mount("/b", mocks)], lifespan=lifespan)
