"""The metrics in the text format of Prometheus, for which the extra `mockd[metrics]` is needed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from math import inf
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

import mockd
from mockd.admin.calls import HEADERS, Call
from mockd.engine import Engine
from mockd.errors import NotFoundError
from mockd.journal.metrics import EXTRA, EXTRA_MISSING, Histogram, Tallies

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


async def get_metrics(engine: Engine, call: Call) -> Any:
    """Get metrics in the text format of Prometheus."""
    if find_spec(EXTRA) is None:
        raise NotFoundError(EXTRA_MISSING)
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    journal = engine.journal
    tallies = engine.connections.tallied(lambda: [asked.exchange for asked in journal.requests()] if journal else [])
    metrics = list(_metrics(tallies, engine.connections.stats()))
    return Response(generate_latest(_Collected(metrics)), headers=HEADERS, media_type=CONTENT_TYPE_LATEST)


class _Collected:
    """What `generate_latest` takes: a registry of metrics that are collected already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _metrics(tallies: Tallies, stats: dict[str, Any]) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

    yield InfoMetricFamily("mockd_build", "The version of mockd.", value={"version": mockd.__version__})
    requests = CounterMetricFamily(
        "mockd_requests", "Requests that have been answered.", labels=("mock", "status", "outcome")
    )
    for labels, count in tallies.requests.items():
        requests.add_metric(labels, count)
    yield requests
    yield GaugeMetricFamily("mockd_streams_active", "Answers that are live.", stats["activeConnections"])
    yield CounterMetricFamily("mockd_events_sent", "Events that were sent.", stats["totalEventsSent"])
    yield CounterMetricFamily("mockd_bytes_sent", "Bytes of bodies that were sent.", stats["totalBytesSent"])
    yield _histogram(
        "mockd_stream_lateness_seconds",
        "How late the latest 256 sends of each stream that has ended were.",
        tallies.lateness,
    )
    yield _histogram(
        "mockd_time_to_first_event_seconds", "Time from a request to the first event.", tallies.first_event
    )
    faults = CounterMetricFamily("mockd_faults_fired", "Faults that have struck.", labels=("action", "fidelity"))
    for pair, count in tallies.faults.items():
        faults.add_metric(pair, count)
    yield faults


def _histogram(name: str, meaning: str, histogram: Histogram) -> Metric:
    from prometheus_client.metrics_core import HistogramMetricFamily

    buckets = [("+Inf" if bound == inf else str(float(bound)), count) for bound, count in histogram.cumulated()]
    return HistogramMetricFamily(name, meaning, buckets=buckets, sum_value=histogram.sum)
