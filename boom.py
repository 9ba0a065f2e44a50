from collections.abc import Iterator
import msgspec
from mockd import BaseSource, Event, SourceContext, SourceKind

class Params(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    start: int = 3

class Boom(BaseSource):
    """Raises."""
    def __init__(self, params: Params) -> None:
        self.params = params
    def open(self, context: SourceContext) -> Iterator[Event]:
        yield Event("one")
        raise ValueError("boom")

class Early(Boom):
    def open(self, context):
        raise KeyError("nope")

class Bad(Boom):
    def __init__(self, params):
        raise RuntimeError("in build")
KIND = SourceKind("boom", Params, Boom, "Raises.")
EARLY = SourceKind("early", Params, Early, "Raises.")
BAD = SourceKind("bad", Params, Bad, "Raises.")
