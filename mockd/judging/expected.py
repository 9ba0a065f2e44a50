"""Requests that are expected, as a test describes them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import structs

from mockd.config.conversion import convert
from mockd.config.verification import RequestSpec, criteria_of
from mockd.errors import ConfigError, InvalidKeyError, Path
from mockd.journal.journal import Asked, News
from mockd.judging.kept import KINDS, Criterion, Doubt, KeptRequest, told_by_all
from mockd.keys.reading import check_key
from mockd.matching.predicates import method_fits
from mockd.matching.rule import Rule
from mockd.patterns import AT_ONCE, Effort


class Expected:
    """Requests that are expected, their criteria by their fields, and what they are in words. `known` is what is known
    of the requests in the journal, by their numbers, so that whoever waits looks into each of them once. Raises
    `ConfigError`, with a path that begins with `path`."""

    def __init__(self, given: str | RequestSpec, path: Path) -> None:
        spec = _read(given, path) if isinstance(given, str) else given
        try:
            self.rule: Rule[None] = Rule(spec, 0, "", None, None, kinds=KINDS)
        except ConfigError as error:
            # Their paths begin with `matcher`.
            problems = [structs.replace(problem, path=(*path, *problem.path[1:])) for problem in error.problems]
            raise ConfigError(problems) from None
        if spec.key:
            try:
                check_key(spec.key)
            except InvalidKeyError as error:
                raise ConfigError(error.message, path=(*path, "key")) from None
        self.key = spec.key
        self.criteria = {predicate.field: Criterion.of(predicate) for predicate in self.rule.predicates}
        self.words = _words(self.rule, spec)
        self.known: dict[int, bool | Doubt] = {}

    def may_be(self, news: News) -> bool:
        """Whether a request may be one of these, by what is known of it at once."""
        if self.key not in (None, news.key):
            return False
        template, method = self.rule.template, self.rule.method
        if method is not None and not method_fits(method, news.method.upper()):
            return False
        return template is None or template.has_star or template.fits(news.path, Effort(AT_ONCE))

    def told_by(self, request: KeptRequest) -> tuple[bool | Doubt, bool]:
        """Whether a request is one of these, and whether that will stay so."""
        return told_by_all(self.criteria.values(), request), request.is_settled

    def forget_all_but(self, requests: Iterable[Asked]) -> None:
        """Forget what is known of requests that are not in the journal any more."""
        numbers = (asked.exchange.number for asked in requests)
        self.known = {number: self.known[number] for number in numbers if number in self.known}


def _read(text: str, path: Path) -> RequestSpec:
    """The requests that a text such as `POST /path` stands for."""
    try:
        criteria = criteria_of(text)
        if "?" in criteria["path"]:
            raise ConfigError("a query cannot be part of a request's text")
        return convert(criteria, RequestSpec)
    except ConfigError as error:
        hint = 'write it like "POST /path" or "/path", or as an object, which may have "queryParams"'
        raise ConfigError(f"{text!r}: {error.problems[0].message}", path=path, hint=hint) from None


def _words(rule: Rule[None], spec: RequestSpec) -> str:
    """What a test expects, for a sentence. No value is in it that may be a credential."""
    path = "" if rule.template is None else rule.template.text
    if path:
        words = f"{rule.method} {path}" if rule.method else f"a request for {path}"
    else:
        words = f"a {rule.method} request" if rule.method else "a request"
    said = ("method", "path", "mock", "key")
    others = [predicate.label for predicate in rule.predicates if predicate.kind.field not in said]
    if others:
        words += f" with {' and '.join(others)}"
    if spec.mock is not None:
        words += f" of the mock {json.dumps(spec.mock, ensure_ascii=False)}"
    if spec.key is not None:
        words += f" of the key {spec.key!r}" if spec.key else " without a key"
    return words
