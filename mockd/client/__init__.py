"""A client of the admin API: one method for each of its operations.

    with AdminClient("http://localhost:4290") as admin:
        admin.create_mock({"matcher": {"path": "/events"}, "sse": {"events": [{"data": "Hello"}]}})

Methods return the answer's JSON value as it is. If the server refuses, they raise `AdminError` with the code, status
and answer. If there is no answer, they raise `UnreachableError`.
"""

from __future__ import annotations

from mockd.client.admin import AdminClient
from mockd.client.transport import DEFAULT_URL

__all__ = ["DEFAULT_URL", "AdminClient"]
