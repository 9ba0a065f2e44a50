"""What is written about answers that another server gives."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated

from mockd.config.base import Config, Mistake, doc
from mockd.targets import Route, Target


class ProxyConfig(Config, frozen=True, kw_only=True):
    """The answer of another server, relayed as it arrives."""

    target: Annotated[
        str,
        doc("URL of the server. The path and query of each request are appended to it, and `Host` is its own."),
    ]
    prefix: Annotated[str, doc("Beginning of the paths of requests that is cut off before, such as `/openai`.")] = ""
    record: Annotated[bool, doc("Write each exchange to a file in the folder of `--record`.")] = False

    def __post_init__(self) -> None:
        try:
            Target.read(self.target)
        except ValueError as error:
            raise Mistake(str(error), ("target",)) from None
        if self.prefix and not self.prefix.startswith("/"):
            raise Mistake(f"{self.prefix!r} does not start with `/`", ("prefix",))

    @property
    def route(self) -> Route:
        """The target, with the prefix that is cut off."""
        return Route(self.prefix.rstrip("/"), Target.read(self.target))
