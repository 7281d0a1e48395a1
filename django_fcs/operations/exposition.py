"""What this process counts and measures, in the format of Prometheus.

``prometheus_client`` is optional. It only writes the text and answers scrapes. The
registry is our own, so that these metrics never mix with the site's by accident.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

from django_fcs.exceptions import ConfigurationError
from django_fcs.tools.metrics import (
    COUNTERS,
    DURATIONS,
    GAUGES,
    Distribution,
    counts,
    distributions,
    gauges,
)

try:
    import prometheus_client
    from prometheus_client import core
    from prometheus_client.exposition import choose_encoder
except ImportError:
    prometheus_client = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["page", "serving"]

_MISSING = "metrics need prometheus_client: pip install 'django-fcs[metrics]'"

#: The help text of counters that are not in the table of ``metrics``.
_UNDOCUMENTED = "Counted by this process."


class _Figures:
    """All figures of this process, read at each scrape."""

    def collect(self) -> Iterator[Metric]:
        yield from _counters()
        yield from _gauges()
        yield from _durations()


def page(accept: str) -> tuple[bytes, str]:
    """Return all metrics in the format that ``accept`` asks for, and its content type.

    Raises ``ConfigurationError`` if ``prometheus_client`` is not installed.
    """
    registry = _registry()
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


@contextmanager
def serving(host: str, port: int) -> Iterator[str]:
    """Answer scrapes at this address, in separate threads; yields the URL.

    Raises ``ConfigurationError`` if ``prometheus_client`` is not installed, or if the
    server cannot listen there. Port 0 takes a free one.
    """
    registry = _registry()
    try:
        server, thread = prometheus_client.start_http_server(port, host, registry)
    except OSError as error:
        text = f"cannot serve metrics on {host}:{port}: {error.strerror or error}"
        raise ConfigurationError(text) from None
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry() -> core.CollectorRegistry:
    if prometheus_client is None:
        raise ConfigurationError(_MISSING)
    registry = core.CollectorRegistry()
    registry.register(_Figures())
    return registry


def _counters() -> Iterator[Metric]:
    # Counters start at 0: the rate of one that appears with its first event misses that event.
    for name, value in sorted((dict.fromkeys(COUNTERS, 0) | counts()).items()):
        text = COUNTERS.get(name, _UNDOCUMENTED)
        yield core.CounterMetricFamily(f"fcs_{name}", text, value=value)


def _gauges() -> Iterator[Metric]:
    for name, value in sorted(gauges().items()):
        yield core.GaugeMetricFamily(f"fcs_{name}", GAUGES[name].help, value=value)


def _durations() -> Iterator[Metric]:
    taken = distributions()
    for name, duration in DURATIONS.items():
        labels = [duration.label] if duration.label else []
        family = core.HistogramMetricFamily(f"fcs_{name}", duration.help, labels=labels)
        for (other, label), distribution in sorted(taken.items(), key=lambda item: item[0]):
            if other == name:
                buckets = _cumulated(duration.bounds, distribution)
                family.add_metric([label] if labels else [], buckets, distribution.sum)
        yield family


def _cumulated(bounds: tuple[float, ...], taken: Distribution) -> list[tuple[str, float]]:
    ends = [*map(str, map(float, bounds)), "+Inf"]
    return list(zip(ends, accumulate(taken.buckets), strict=True))
