"""Loading the configuration, from files and from the admin API, as checked mocks.

    text ─ documents ─▶ value ─ shape ─▶ flat mocks ─ environment ─▶ values ─ conversion ─▶ structs

Every public function raises `ConfigError` with all the problems that it finds, and then no mock is used.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from mockd import errors
from mockd.config.conversion import convert
from mockd.config.documents import Document, Format, read_text
from mockd.config.environment import (
    Filled,
    as_written,
    escape,
    expand,
    hidden,
    is_variable,
    number_or_boolean,
    unescape,
)
from mockd.config.files import data_names, find_files, read_files, real_path, resolve_file
from mockd.config.models import FILE_VERSION, Mock
from mockd.config.paths import at, replaced
from mockd.config.shape import Entry, flatten, nested_keys, split, warn_of_dropped
from mockd.config.values import check_values
from mockd.config.warn import Warn, log_warning
from mockd.errors import MAX_PROBLEMS, ConfigError, Problem, format_path
from mockd.source import Source


class Origin(Struct, frozen=True):
    """The place where a mock was written. `source` is its file, or None if it came through the admin API."""

    source: str | None = None
    path: errors.Path = ()
    nested: frozenset[str] = frozenset()
    document: Document | None = None
    literal: bool = True
    """Whether `${` in the mock's `doc` is literal, as it is in every mock from the admin API."""
    filled: Filled = {}
    """What the environment gave to the mock, which no problem shows."""

    def report(self, problem: Problem) -> Problem:
        """The same problem with file, line and column, and with texts as they were written. Its path starts at the
        mock; the new one starts at the document."""
        path = problem.path
        inside = ("http",) if path and path[0] in self.nested else ()
        message, hint = hidden(problem.message, self.filled), problem.hint and hidden(problem.hint, self.filled)
        problem = structs.replace(problem, message=message, hint=hint, path=(*self.path, *inside, *path))
        return self.document.report(problem) if self.document else structs.replace(problem, source=self.source)

    def report_all(self, error: ConfigError) -> ConfigError:
        """The same error with every problem reported."""
        return ConfigError([self.report(problem) for problem in error.problems])


class MockSpec(Struct, frozen=True):
    """One mock that passed the checks of its structs.

    `doc` is its flat form with the fields that were given (and `id`), text as written. `values` is the same with the
    environment filled in. `root` is the folder of its data files, or None if it may have none. `around` puts something
    around each of its sources that is no part of its configuration, and that a changed mock does not have.
    """

    id: str
    doc: dict[str, Any]
    values: dict[str, Any]
    mock: Mock
    root: Path | None
    origin: Origin
    around: Callable[[Source], Source] | None = None

    @property
    def shown(self) -> Mock:
        """The mock for people: its name and its matcher are as they were written."""
        parts = {key: self.doc.get(key) for key in ("name", "matcher")}
        is_same = all(self.values.get(key) == part for key, part in parts.items())
        shown: Mock = self.mock if is_same else as_written(self.mock, parts)
        return shown

    def with_number(self, path: errors.Path) -> MockSpec | None:
        """The same mock with the environment value at `path` read as a number or boolean. None if the value spells
        neither, or if the format wants text there.

        This is for parts of a mock whose types are known only later, such as a template's parameters.
        """
        values = _read_number(self.doc, self.values, path)
        if values is None:
            return None
        try:
            return structs.replace(self, values=values, mock=convert(values, Mock))
        except ConfigError:  # the format wants text there, so the fault is in the text itself
            return None


Check = Callable[["MockSpec"], None]
"""A check of a mock beyond those of its structs. Raises `ConfigError`."""


def load_paths(
    paths: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    check: Check | None = None,
    warn: Warn = log_warning,
) -> list[MockSpec]:
    """The mocks of configuration files, directories and glob patterns, in order.

    If there are problems, `check` is run on the mocks without one, so that all problems are reported together. `warn`
    gets the warnings about the files themselves.
    """
    environ = os.environ if environ is None else environ
    loaded = read_files(paths, environ)
    drafts, problems = [], loaded.problems
    for file, document in loaded.documents:
        collection = split(document.value)
        problems += [document.report(problem) for problem in collection.problems]
        if not (collection.mocks or collection.problems):
            warn(Problem("there are no mocks in it", source=str(file)))
        for index, entry in enumerate(collection.entries):
            if len(problems) >= MAX_PROBLEMS:
                break
            origin = Origin(str(file), entry.path, nested_keys(entry.value), document, literal=False)
            try:
                draft = _draft(entry.value, file.parent, origin, environ)
            except ConfigError as error:
                problems += error.problems
            else:
                drafts.append(structs.replace(draft, label=f"{file.name}\0{index}"))
    warn_of_dropped(((document.value, document.report) for _, document in loaded.documents), warn)
    return _finish(drafts, problems, _derived_id, check)


def watched_files(paths: Sequence[str]) -> set[Path]:
    """Every file whose change may change the mocks: the configuration files, existing or not, and their data files."""
    loaded = read_files(paths, os.environ)
    found, _ = find_files(paths)
    named = {Path(text) for text in paths if not Path(text).is_dir() and not any(char in text for char in "*?[")}
    return {real_path(file) for file in (*named, *(file.path for file in found))} | loaded.data_files


def parse_mock(doc: object, *, root: Path | None, mock_id: str | None = None, warn: Warn = log_warning) -> MockSpec:
    """One mock from the admin API, flat or nested. Its ID is `mock_id`, its own, or a random one."""
    _refuse_problems(check_values(doc))
    draft = _draft(doc, root, Origin(nested=nested_keys(doc)), None)
    if mock_id is not None and draft.mock.id not in (None, mock_id):
        raise ConfigError(f"the mock's id is {mock_id!r} and cannot be changed", path=("id",))
    warn_of_dropped([(doc, _as_it_is)], warn)
    return draft.named(draft.mock.id or mock_id or _new_id(draft, ()))


def parse_saved(doc: object, *, root: Path | None, origin: Origin, environ: Mapping[str, str]) -> MockSpec:
    """A mock from a saved `doc`, which has its ID. The environment is read only if `origin` is not literal."""
    if problems := check_values(doc):
        raise origin.report_all(ConfigError(problems))
    draft = _draft(doc, root, origin, None if origin.literal else environ)
    if draft.mock.id is None:
        raise origin.report_all(ConfigError("the id is missing"))
    return draft.named(draft.mock.id)


def parse_collection(value: object, *, root: Path | None, warn: Warn = log_warning) -> list[MockSpec]:
    """The mocks of a configuration file that came through the admin API: `$${` is `${`, and the environment is not
    read."""
    problems = check_values(value)
    _refuse_problems(problems)
    collection = split(value)
    problems += collection.problems
    drafts = []
    for entry in collection.entries:
        if len(problems) >= MAX_PROBLEMS:
            break
        try:
            drafts.append(_draft(unescape(entry.value), root, _admin_origin(entry), None))
        except ConfigError as error:
            problems += error.problems
    warn_of_dropped([(value, _as_it_is)], warn)
    return _finish(drafts, problems, _new_id)


def patch_mock(spec: MockSpec, patch: object, *, root: Path | None = None, warn: Warn = log_warning) -> MockSpec:
    """A mock changed by a JSON Merge Patch (RFC 7396) of its flat form.

    `root` is the folder of a data file that the patch names. A data file that the patch leaves alone stays in the
    mock's own folder.
    """
    _refuse_problems(check_values(patch))
    if not isinstance(patch, dict):
        raise ConfigError("a patch is an object with the keys to change")
    change = flatten(patch)
    if change.get("id", spec.id) != spec.id:
        raise ConfigError(f"the mock's id is {spec.id!r} and cannot be changed", path=("id",))
    values = _merge(spec.values, change)
    doc = _merge(spec.doc, change if spec.origin.literal else escape(change))
    origin = Origin(literal=spec.origin.literal, filled=spec.origin.filled)
    try:
        mock = convert(values, Mock)
        if data_names(values) == data_names(spec.values):
            root = spec.root  # the file is not checked again, as it may have been deleted since it was read
        else:
            _check_data_files(values, root)
    except ConfigError as error:
        raise origin.report_all(error) from None
    warn_of_dropped([(patch, _as_it_is)], warn)
    return MockSpec(spec.id, doc, values, mock, root, origin)


def _as_it_is(problem: Problem) -> Problem:
    """The problem in what came without a file."""
    return problem


def dump_collection(specs: Sequence[MockSpec]) -> dict[str, Any]:
    """The value of a configuration file that `load_paths` would read as these mocks."""
    mocks = [escape(spec.doc) if spec.origin.literal else spec.doc for spec in specs]
    return {"version": FILE_VERSION, "mocks": mocks}


def parse_text(text: bytes, *, source: str | None, format: Format) -> Any:
    """The value of a JSON or YAML text. Raises `ConfigError` with line and column if it is malformed."""
    return read_text(text, source, format).value


class _Draft(Struct, frozen=True):
    """A mock that passed its checks and may not have an ID yet. `label` is the text from which its ID is derived."""

    doc: dict[str, Any]
    values: dict[str, Any]
    mock: Mock
    root: Path | None
    origin: Origin
    label: str = ""

    def named(self, mock_id: str) -> MockSpec:
        if self.mock.id == mock_id:
            return MockSpec(mock_id, self.doc, self.values, self.mock, self.root, self.origin)
        mock = structs.replace(self.mock, id=mock_id)
        doc, values = ({"id": mock_id} | part | {"id": mock_id} for part in (self.doc, self.values))
        return MockSpec(mock_id, doc, values, mock, self.root, self.origin)


def _admin_origin(entry: Entry) -> Origin:
    return Origin(None, entry.path, nested_keys(entry.value))


def _draft(value: Any, root: Path | None, origin: Origin, environ: Mapping[str, str] | None) -> _Draft:
    """Check one mock. `environ` is None if the environment is not read."""
    try:
        doc = values = flatten(value)
        if environ is not None:
            values, filled, problems = expand(doc, environ)
            origin = structs.replace(origin, filled=filled)
            _refuse_problems(problems)
        mock, values = _convert(doc, values)
        _check_data_files(values, root)
    except ConfigError as error:
        raise origin.report_all(error) from None
    return _Draft(doc, values, mock, root, origin)


def _convert(doc: dict[str, Any], values: dict[str, Any]) -> tuple[Mock, dict[str, Any]]:
    """The struct of a mock, with environment values read as numbers or booleans where the format wants them."""
    while True:
        try:
            return convert(values, Mock), values
        except ConfigError as error:
            better = values
            for problem in error.problems:
                better = _read_number(doc, better, problem.path) or better
            if better is values:
                raise ConfigError([_with_variable(problem, doc, values) for problem in error.problems]) from None
            values = better


def _with_variable(problem: Problem, doc: dict[str, Any], values: dict[str, Any]) -> Problem:
    """The same problem; if the value is from the environment, with a hint that says so."""
    written = at(doc, problem.path)
    if written == at(values, problem.path) or not isinstance(written, str):
        return problem
    return structs.replace(problem, hint=f"the value comes from `{written}`")


def _read_number(doc: dict[str, Any], values: dict[str, Any], path: errors.Path) -> dict[str, Any] | None:
    text = at(values, path)
    if not isinstance(text, str) or not is_variable(at(doc, path)):
        return None
    number = number_or_boolean(text)
    return None if number is None else replaced(values, path, number)


def _refuse_problems(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError(problems)


def _check_data_files(values: dict[str, Any], root: Path | None) -> None:
    for path, name in data_names(values).items():
        resolve_file(name, root, path=path)


def _finish(
    drafts: list[_Draft],
    problems: list[Problem],
    make_id: Callable[[_Draft, Container[str]], str],
    check: Check | None = None,
) -> list[MockSpec]:
    """Give every mock its ID, and refuse an ID that is given twice."""
    taken: dict[str, _Draft] = {}
    for draft in drafts:
        if draft.mock.id in taken:
            first = _place(taken[draft.mock.id].origin)
            problem = Problem(f"id {draft.mock.id!r} is given twice: it is also the id at {first}", ("id",))
            problems.append(draft.origin.report(problem))
        elif draft.mock.id is not None:
            taken[draft.mock.id] = draft
    if problems and check is not None:
        more = (problem for draft in drafts for problem in _found_by(check, draft))
        problems += islice(more, MAX_PROBLEMS)
    _refuse_problems(problems)
    specs = []
    for draft in drafts:
        mock_id = draft.mock.id or make_id(draft, taken)
        taken[mock_id] = draft
        specs.append(draft.named(mock_id))
    return specs


def _found_by(check: Check, draft: _Draft) -> list[Problem]:
    try:
        check(draft.named(draft.mock.id or "unnamed"))
    except ConfigError as error:
        return list(draft.origin.report_all(error).problems)
    return []


def _place(origin: Origin) -> str:
    problem = origin.report(Problem("", ("id",)))
    return f"{problem.source}:{problem.line}:{problem.column}" if problem.source else format_path(problem.path)


def _new_id(draft: _Draft, taken: Container[str]) -> str:
    return f"http_{secrets.token_hex(8)}"


def _derived_id(draft: _Draft, taken: Container[str]) -> str:
    """An ID derived from the file's name and the mock's position in it, so that it is the same after a reload."""
    attempt = 0
    while True:
        seed = f"{draft.label}\0{attempt}".encode(errors="surrogateescape")
        mock_id = f"http_{hashlib.blake2b(seed, digest_size=8).hexdigest()}"
        if mock_id not in taken:
            return mock_id
        attempt += 1  # a file of the same name in another folder


def _merge(target: Any, patch: Any) -> Any:
    """Merge as RFC 7396 says: null removes a key, objects are merged, and any other value replaces the old one."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged
