"""What requests-sse reads of a stream: `pip install requests-sse`."""

import sys

from requests_sse import EventSource

with EventSource(sys.argv[1], on_error=sys.exit) as events:  # it would come back for ever
    for event in events:
        print(event.type, repr(event.data))
