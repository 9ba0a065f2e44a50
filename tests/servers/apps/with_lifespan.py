"""mockd in an app that passes its lifespan on, and has begun it before."""

from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

import mockd

mocks = mockd.create_app(mockd.Settings.from_env())


@asynccontextmanager
async def lifespan(app):
    async with mocks.router.lifespan_context(mocks):
        pass
    async with mocks.router.lifespan_context(mocks):
        yield


app = Starlette(routes=[Mount("/a", mocks), Mount("/b", mocks)], lifespan=lifespan)
