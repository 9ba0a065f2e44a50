"""From events to bytes on time: resume, pacing, limits, framing and the wire."""
