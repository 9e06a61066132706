"""Where spans go: to a collector, by OTLP over HTTP, if one is set; else nowhere."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import propagate, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from timevalg.model.errors import InvalidInput


def start(endpoint: str) -> Callable[[], None]:
    """Send spans to a collector from now on; gives what sends the last of them and stops.

    Parameters
    ----------
    endpoint : str
        ``http://collector:4318/v1/traces``; empty = nowhere.

    Raises
    ------
    InvalidInput
        If the parts that send are not installed.
    """
    if not endpoint:
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise InvalidInput.single(
            "TIMEVALG_TRACES",
            f"{error.name} is missing; pip install 'timevalg[tracing]'",
            "environment",
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "timevalg"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    propagate.set_global_textmap(TraceContextTextMapPropagator())  # no baggage of callers
    trace.set_tracer_provider(provider)
    return provider.shutdown
