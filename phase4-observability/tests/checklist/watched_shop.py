"""A booking service and an event service behind ports of their own, which tell what they do."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from booking_service.proto import booking_pb2
from booking_service.proto.booking_pb2_grpc import add_BookingServiceServicer_to_server
from event_service.proto import event_pb2 as e
from event_service.proto.event_pb2_grpc import EventServiceStub, add_EventServiceServicer_to_server
from tests.checklist.booking_shop import Publishing, Shop
from tests.checklist.right_metrics import Metrics
from tests.checklist.right_tracing import Span, Tracer

from workbook.ports import free_port

PATIENCE = 2  # seconds for the event service
QUICK = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]
Code = grpc.StatusCode


class WatchedShop(Shop):
    """It asks the event service before it sells, and refuses what is wrong."""

    def __init__(self, publishing: Publishing, events: str, tracer: Tracer) -> None:
        super().__init__(publishing)
        self._channel = grpc.insecure_channel(events, QUICK)
        self._tracer = tracer

    def GetEvent(self, request: Any, context: Any) -> Any:
        if request.event_id not in self._left:
            context.abort(Code.NOT_FOUND, "no such event")
        return e.GetEventResponse(event=e.Event(id=request.event_id))

    def CreateBooking(self, request: Any, context: Any) -> Any:
        if request.ticket_count < 1:
            context.abort(Code.INVALID_ARGUMENT, "ticket_count must be at least 1")
        self._ask(request.event_id, context)
        answer = super().CreateBooking(request, context)
        self._tracer.named(answer.booking.id)
        return answer

    def GetBooking(self, request: Any, context: Any) -> Any:
        if request.booking_id not in self._bookings:
            context.abort(Code.NOT_FOUND, "no such booking")
        return super().GetBooking(request, context)

    def _ask(self, event_id: str, context: Any) -> None:
        stub: Any = EventServiceStub(self._channel)
        try:
            with self._tracer.calling("event.EventService/GetEvent") as traceparent:
                asked = e.GetEventRequest(event_id=event_id)
                metadata = [("traceparent", traceparent)] if traceparent else []
                stub.GetEvent(asked, timeout=PATIENCE, metadata=metadata, wait_for_ready=True)
        except grpc.RpcError:
            context.abort(Code.UNAVAILABLE, "the event service does not answer")


class Watching(grpc.ServerInterceptor):
    """Counts, times and traces each request once, however it ends."""

    def __init__(self, metrics: Metrics, tracer: Tracer) -> None:
        self.metrics = metrics
        self.tracer = tracer

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler, path = continuation(handler_call_details), handler_call_details.method
        if handler is None:
            self.metrics.unknown(path)
            return None

        def answered(request: Any, context: Any) -> Any:
            call = _Call(self, path, request, context)
            context.add_callback(call.gone)
            with self.tracer.at(call.span):
                try:
                    answer = handler.unary_unary(request, context)
                except BaseException:
                    call.end(self.metrics.raised, getattr(context.code(), "name", "UNKNOWN"))
                    raise
            call.end(self.metrics.ended, "OK")
            return answer

        return grpc.unary_unary_rpc_method_handler(answered, handler.request_deserializer, handler.response_serializer)


class _Call:
    def __init__(self, watching: Watching, path: str, request: Any, context: Any) -> None:
        self._watching = watching
        self._path = path
        self._request = request
        self._context = context
        self._lock = threading.Lock()
        self._ended = False
        self._began = time.perf_counter()
        metadata = dict(context.invocation_metadata())
        self.span: Span = watching.tracer.server(path.removeprefix("/"), metadata.get("traceparent", ""))

    def end(self, count: Callable[..., None], code: str) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        count(self._path, code, time.perf_counter() - self._began, self._request)
        self._watching.tracer.ended(self.span, code)

    def gone(self) -> None:
        """GRPC has ended the call: its caller left, unless it has been answered."""
        over = (self._context.time_remaining() or 1) < 0.05
        self.end(self._watching.metrics.left, "DEADLINE_EXCEEDED" if over else "CANCELLED")


class Serving:
    """One of the services, with its page, at addresses that it keeps however often it is killed."""

    def __init__(self, add: Callable[[Any, grpc.Server], None], watching: Watching) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.shop: Shop | None = None
        self._add = add
        self._watching = watching

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(10), interceptors=[self._watching])
        self._add(self.shop, self._server)
        self._server.add_insecure_port(self.address)
        self._server.start()

    def kill(self) -> None:
        self._server.stop(None).wait()
        self._watching.metrics.kill()


add_bookings: Callable[[Any, grpc.Server], None] = add_BookingServiceServicer_to_server
add_events: Callable[[Any, grpc.Server], None] = add_EventServiceServicer_to_server
_METHODS = booking_pb2.DESCRIPTOR.services_by_name["BookingService"].methods_by_name
BOOKING_METHODS = tuple(f"booking.BookingService/{each}" for each in _METHODS)
EVENT_METHODS = tuple(f"event.EventService/{each}" for each in ("CreateEvent", "GetEvent"))
