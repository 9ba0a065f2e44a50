"""Templates: sources with a name and parameters. One module each; adding one here makes it known."""

from mockd.sources.templates import notification_stream, openai_chat

BUILT_IN = (openai_chat.KIND, notification_stream.KIND)
