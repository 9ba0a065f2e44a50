"""mockd at two places of another app, which runs no lifespan of it."""

from starlette.applications import Starlette
from starlette.routing import Mount

import mockd

mocks = mockd.create_app(mockd.Settings.from_env())
app = Starlette(routes=[Mount("/a", mocks), Mount("/b", mocks)])
