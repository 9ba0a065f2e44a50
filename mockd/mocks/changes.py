"""The changes made to mocks through the admin API, kept apart from the configuration files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, structs

from mockd.config.load import MockSpec
from mockd.store import Key

CHANGES: Key = ("changes",)
"""The key of an engine's `Changes` in the store."""
_MADE_UP = r"http_[0-9a-f]{16}"


class Changes(Struct, frozen=True):
    """The mocks that were added or changed through the admin API, the IDs of deleted mocks, and the order of all."""

    changed: Mapping[str, MockSpec] = {}
    deleted: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()

    def over(self, specs: Sequence[MockSpec]) -> list[MockSpec]:
        """The configured mocks with these changes applied."""
        by_id = {spec.id: spec for spec in specs if spec.id not in self.deleted} | dict(self.changed)
        known = [by_id.pop(mock_id) for mock_id in self.order if mock_id in by_id]
        return known + list(by_id.values())

    def with_mocks(self, specs: Sequence[MockSpec], order: Sequence[str]) -> Changes:
        """The changes after these mocks were added or replaced mocks with the same IDs."""
        added = {spec.id: spec for spec in specs}
        return Changes({**self.changed, **added}, self.deleted - added.keys(), tuple(order))

    def without_mocks(self, mock_ids: Collection[str], order: Sequence[str], *, configured: Collection[str]) -> Changes:
        """The changes after these mocks were deleted. The ID of a mock that is not `configured` is forgotten if mockd
        made it, as no configuration file will ever have that ID."""
        changed = {key: spec for key, spec in self.changed.items() if key not in mock_ids}
        remembered = {id_ for id_ in mock_ids if id_ in configured or not re.fullmatch(_MADE_UP, id_)}
        return Changes(changed, self.deleted | remembered, tuple(order))

    def without_changes_to(self, mock_ids: Collection[str]) -> Changes:
        """The changes without those to certain mocks, whose files were changed since and win."""
        if not mock_ids:
            return self
        changed = {key: spec for key, spec in self.changed.items() if key not in mock_ids}
        return structs.replace(self, changed=changed, deleted=self.deleted.difference(mock_ids))


NO_CHANGES = Changes()
