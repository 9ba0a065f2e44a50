"""mockd in an app of FastAPI, behind a middleware that wraps everything."""

from fastapi import FastAPI

import mockd

mocks = mockd.create_app(mockd.Settings.from_env())
app = FastAPI()
app.mount("/a", mocks)
app.mount("/b", mocks)


@app.middleware("http")
async def passing(request, call_next):
    return await call_next(request)
