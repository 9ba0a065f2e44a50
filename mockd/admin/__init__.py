"""The control API: mocks, live connections and configuration of a running mockd, as JSON over HTTP."""

from __future__ import annotations

from mockd.admin.app import create_admin, create_probes

__all__ = ["create_admin", "create_probes"]
