"""What sseclient reads of a stream, up to `[DONE]`: `pip install sseclient`."""

import sys

from sseclient import SSEClient

for event in SSEClient(sys.argv[1], retry=0, timeout=2):  # it waits for ever, and comes back for ever
    print(event.event, repr(event.data))
    if event.data == "[DONE]":
        break
