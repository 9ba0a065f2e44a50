"""Two servers, one after the other, in one process and with one app."""

import sys

import uvicorn
from mounted import app

for _ in range(2):
    uvicorn.run(app, port=int(sys.argv[1]))
