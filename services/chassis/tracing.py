"""OpenTelemetry across Kafka, outbox and gateway calls: a span per message and per call (W3C traceparent).

Without OTEL_EXPORTER_OTLP_ENDPOINT nothing is recorded, and a sender's traceparent still travels on.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis.messages import Message

tracer = trace.get_tracer("booking")
propagator = TraceContextTextMapPropagator()


def configure(service: str, instance: str) -> None:
    """Export spans where an endpoint is set in the environment, as OpenTelemetry's own variables say."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # costs a start 40 ms

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.instance.id": instance}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def begin(message: Message[Any]) -> tuple[Message[Any], Span]:
    """Start a message's span under its sender's; the message goes on with the span as its trace parent."""
    attributes = {
        "messaging.system": "kafka",
        "messaging.destination.name": message.raw.topic,
        "messaging.message.id": str(message.id),
        "messaging.kafka.message.key": message.key,
        "messaging.message.conversation_id": message.correlation_id,
    }
    span = start(message.type, message.traceparent, SpanKind.CONSUMER, attributes)
    if not span.get_span_context().is_valid or not span.is_recording():
        return message, span
    return replace(message, traceparent=traceparent(span)), span


def start(name: str, parent: str | None, kind: SpanKind, attributes: dict[str, str]) -> Span:
    """A span under a W3C traceparent, or a root."""
    context = propagator.extract({"traceparent": parent}) if parent else None
    return tracer.start_span(name, context=context, kind=kind, attributes=attributes)


def traceparent(span: Span) -> str:
    """The W3C header of a span."""
    carrier: dict[str, str] = {}
    propagator.inject(carrier, context=trace.set_span_in_context(span))
    return carrier["traceparent"]


def end(span: Span, fault: str | None = None) -> None:
    """The message's turn is over."""
    if fault is not None:
        span.set_status(Status(StatusCode.ERROR, fault))
    span.end()
