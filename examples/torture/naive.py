"""A reader of event streams as they are written by hand: it is right as long as the network is kind."""

import sys
from urllib.request import urlopen

buffer = ""
with urlopen(sys.argv[1]) as answer:
    while part := answer.read1(65536):
        buffer += part.decode()
        *blocks, buffer = buffer.split("\n\n")
        for block in blocks:
            for line in block.split("\n"):
                if line.startswith("data: "):
                    print(line[6:])
