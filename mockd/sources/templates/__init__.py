"""Templates: sources with a name and parameters. One module each; adding one here makes it known."""

from mockd.sources import llm
from mockd.sources.templates import notification_stream

BUILT_IN = (*llm.KINDS, notification_stream.KIND)
