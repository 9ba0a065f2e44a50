"""What is checked of an answer of the admin API, by its OpenAPI document."""

from __future__ import annotations

import schemathesis
from schemathesis.specs.openapi import checks as openapi_checks

CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
]
ENDLESS = "^/events$|/watch$"
"""The paths of operations whose answer goes on and on."""
