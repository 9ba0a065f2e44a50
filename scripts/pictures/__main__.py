"""Draw the pictures in the README anew: `scripts/docs pictures`."""

from __future__ import annotations

from scripts.pictures import hold, stream

for picture in (stream, hold):
    picture.FILE.write_text(picture.drawn(), encoding="utf-8")
