"""Spans on their way out: in the background, a bounded number, and never at the cost of a request."""

from collections.abc import Sequence

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

log = structlog.get_logger(__name__)


class QuietExporter(SpanExporter):
    """Says once that the collector does not take spans, and once that it does again; counts what became of them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._away = False
        self.stopping = False
        self.exported = 0
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.stopping and self._away:  # whoever stops does not wait for it once more
            self.failed += len(spans)
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        taken = result is SpanExportResult.SUCCESS
        self.exported += taken * len(spans)
        self.failed += (not taken) * len(spans)
        if taken is self._away:
            log.info("traces are exported again") if taken else log.warning("the collector does not take traces")
            self._away = not taken
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class BoundedBatches(BatchSpanProcessor):
    """Drops the newest spans while `most` wait, and counts them: the library's own drops the oldest uncounted."""

    def __init__(self, exporter: QuietExporter, *, most: int, batch: int, delay: int) -> None:
        super().__init__(
            exporter, max_queue_size=most, schedule_delay_millis=delay, max_export_batch_size=min(batch, most)
        )
        self.quiet = exporter
        self._most = most
        self._kept = 0
        self.dropped = 0

    def on_end(self, span: ReadableSpan) -> None:
        if self._kept - self.quiet.exported - self.quiet.failed >= self._most:
            self.dropped += 1
            return
        self._kept += 1
        super().on_end(span)
