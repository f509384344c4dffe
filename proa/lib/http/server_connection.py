"""One client's connection: requests in, answers out, in the order asked, at most one at work at a time.

A thin `asyncio.Protocol` over httptools, because frameworks hide what an API server needs (client certificate, raw upgrade, flush per
event) and cost several times as much. Requests that arrive while one is at work wait in a bounded queue; then reading pauses. They wait
as well while the client does not read its answers, so that nobody's answers pile up here.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

import httptools

from proa.lib.http.incoming_body import IncomingBody, streamed_body
from proa.lib.http.message import AnyResponse, Handler, Request, Response, StreamResponse, UpgradeResponse
from proa.lib.http.server_head import PIECE, head, last_answer, pieces, sized, split_target
from proa.lib.http.server_options import ServerOptions
from proa.lib.http.server_output import CLOSED, TurnOutput
from proa.lib.http.server_pending import Pending, resume
from proa.lib.http.server_stream import HIGH_WATER, ChunkedWriter, RawConnection

log = logging.getLogger(__name__)
LINGER = 1.0
"""Seconds to go on reading what is thrown away: closing at once would reset the connection before the client has read why."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ServerConnection(asyncio.Protocol):
    """See the module. The server reads `busy` and `since` to time out and to drain."""

    transport: asyncio.Transport
    _output: TurnOutput

    def __init__(self, handler: Handler, options: ServerOptions, connections: set["ServerConnection"], peer: str = "") -> None:
        self._handler = handler
        self._options = options
        self._connections = connections
        self._peer = peer
        self._certificate: bytes | None = None
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Pending] = deque()
        self._task: asyncio.Task[None] | None = None
        self._at_work: Request | None = None
        self._raw: RawConnection | None = None
        self._incoming: IncomingBody | None = None
        self._leftover = b""
        self._drained: asyncio.Future[None] | None = None
        self._writing_paused = self._reading_paused = self._patient = False
        self._stalled_since = 0.0
        self.closed: asyncio.Event | None = None
        self.is_closed = self._is_tls = False
        self._refusal: tuple[int, str] | None = None
        self.busy = self.streaming = self.closing = self._refused = False
        self.since = self._loop.time()
        self._clear()

    def _clear(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._repeated: dict[str, list[str]] = {}
        self._body: list[bytes] = []
        self._body_size = self._head_size = 0
        self._in_head = True
        self._expects = self.receiving = False

    # -- transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._output = TurnOutput(self._loop, self.transport)
        if not self._peer:
            address = transport.get_extra_info("peername")
            self._peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self._is_tls = True
            self._certificate = tls.getpeercert(binary_form=True)
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        self._connections.discard(self)
        self._queue.clear()
        self._lose_body()
        # This, its parser and its transport hold each other until garbage is looked for. What they have read goes now.
        self._clear()
        self.transport = CLOSED
        self._output = TurnOutput(self._loop, CLOSED)
        if self.closed is not None:
            self.closed.set()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self._raw is not None:
            self._raw.feed_end()
        elif self._task is not None and (self.streaming or (self._at_work is not None and self._at_work.goes_with_client)):
            self._task.cancel()

    def eof_received(self) -> bool:
        """Whether to keep the half that is still open: for raw bytes and for work that does not go with its client."""
        self.closing = True
        self._lose_body()
        if self._raw is not None:
            self._raw.feed_end()
            return not self._is_tls
        return self.busy and not self.streaming and not self._is_tls and not (self._at_work and self._at_work.goes_with_client)

    def pause_writing(self) -> None:
        self._writing_paused, self._stalled_since = True, self._loop.time()

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if not self.busy:
            self._next()

    async def drain(self) -> None:
        if self._writing_paused and not self.is_closed:
            self._drained = self._loop.create_future()
            await self._drained
        if self.is_closed:
            raise ConnectionResetError("the peer is gone")

    async def wait_closed(self) -> None:
        if self.is_closed:
            return
        self.closed = self.closed or asyncio.Event()
        await self.closed.wait()

    # -- parsing

    def data_received(self, data: bytes) -> None:
        if self._raw is not None:
            self._raw.feed(data)
            return
        if self._refused:
            return
        if self._leftover or (self._queue and self._queue[-1].upgrade):
            self._leftover += data
            return
        if not self.receiving:
            self.receiving, self.since = True, self._loop.time()
        if self._in_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._leftover = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            if not self._refused:
                self._refuse(400, f"malformed request: {error}")
        if self._in_head and self._head_size > self._options.header_limit and not self._refused:
            self._refuse(431, f"request header fields too large: limit is {self._options.header_limit}")

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        present = self._headers.get(key)
        self._headers[key] = text if present is None else f"{present}, {text}"
        if present is not None:
            self._repeated.setdefault(key, [present]).append(text)

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers = self._headers
        length = headers.get("content-length")
        if self._options.streams is not None and (body := streamed_body(self._options, self.transport, self._target, headers)):
            self._begin_streamed(body)
        elif length is not None and length.isdigit() and int(length) > self._options.body_limit:
            self._refuse_body()
        elif "expect" in headers and headers["expect"].lower() == "100-continue":
            if self.busy:
                self._expects = True
            else:
                self._output.add(_CONTINUE)

    def _begin_streamed(self, body: IncomingBody) -> None:
        """Hand the request on before its body."""
        if self._headers.get("expect", "").lower() == "100-continue":
            self._output.add(_CONTINUE)
            self._output.flush()
        self._enqueue(b"", body)
        self._in_head = False
        if not self._refused:
            self._incoming = body

    def _lose_body(self) -> None:
        if self._incoming is not None:
            self._incoming.lose()
            self._incoming = None

    def on_body(self, body: bytes) -> None:
        if self._incoming is not None:
            self._incoming.feed(body)
            return
        self._body_size += len(body)
        if self._body_size > self._options.body_limit:
            if not self._refused:
                self._refuse_body()
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._incoming is not None:
            self._incoming.feed_end()
            self._incoming = None
            self._clear()
            return
        self._enqueue(b"".join(self._body) if len(self._body) != 1 else self._body[0])

    def _enqueue(self, body: bytes, stream: IncomingBody | None = None) -> None:
        if self._refused:
            return
        try:
            path, raw_path, raw_query, query = split_target(self._target)
        except ValueError as error:
            self._refuse(400, str(error))
            return
        parser = self._parser
        method, peer, certificate, repeated = parser.get_method().decode("latin-1"), self._peer, self._certificate, self._repeated
        request = Request(
            method, path, query, self._headers, body, raw_path, raw_query, peer, certificate, repeated=repeated, stream=stream
        )
        old, upgrade = parser.get_http_version() == "1.0", parser.should_upgrade()
        pending = Pending(request, keep_alive=parser.should_keep_alive(), old=old, upgrade=upgrade)
        self._clear()
        self._queue.append(pending)
        if not self.busy and not self._writing_paused:
            self._next()
        elif len(self._queue) >= self._options.pipeline_depth and not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()

    # -- answering

    def _refuse_body(self) -> None:
        self._refuse(413, f"Request entity too large: limit is {self._options.body_limit}")

    def look_at_time(self, now: float) -> None:
        """Cut off who doesn't read, refuse who doesn't finish a request, close what is idle; from time to time."""
        options = self._options
        if self._writing_paused and not self._patient and now - self._stalled_since > options.stall_timeout:
            self.transport.abort()
        elif self.busy:
            return
        elif now - self.since > (options.request_timeout if self.receiving else options.idle_timeout):
            if self.transport.is_closing():
                if not self._patient:
                    self.transport.abort()  # it has been closed, but nobody takes the last bytes
            elif self.receiving:
                self._refuse(408, "the request took too long to arrive")
            else:
                self.shut_down()

    def _refuse(self, status: int, message: str) -> None:
        """Turn away what can't be parsed further: answer after what is at work, then close. Who has the head already gives the answer."""
        self._refused = True
        self.closing = True
        if self._incoming is not None:
            self._lose_body()
            return
        self._refusal = (status, message)
        if not self.busy and not self._queue:
            self._send_refusal()

    def _send_refusal(self) -> None:
        if self._refusal is None or self.is_closed:
            return
        status, message = self._refusal
        self._refusal = None
        self._output.add(last_answer(self._options.refuse(status, message)))
        self._output.flush()
        self._loop.call_later(LINGER if status in (413, 431) else 0, self.transport.close)

    def _next(self) -> None:
        """Start what waits; a loop, not a recursion, as eager answers come at once."""
        while self._queue and not (self.busy or self.is_closed or self._writing_paused):
            pending = self._queue.popleft()
            self.busy, self._patient, self._at_work = True, False, pending.request
            if self._options.eager_get and pending.request.method == "GET" and not pending.upgrade:
                if not self._step(pending, self._handler(pending.request)):  # type: ignore[arg-type]
                    return
            else:
                self._task = self._loop.create_task(self._answer(pending))
                return
        if self._reading_paused and not (self.is_closed or self._writing_paused):
            self._reading_paused = False
            self.transport.resume_reading()

    def _step(self, pending: Pending, handler: Coroutine[Any, Any, AnyResponse]) -> bool:
        """Run a handler to its first suspension; whether it has been answered."""
        try:
            first = handler.send(None)
        except StopIteration as done:
            response = done.value
            if type(response) is Response and type(response.body) is bytes:
                self._write_whole(pending, response)
                self._finished(pending)
                return True
            self._task = self._loop.create_task(self._deliver(pending, response))
            return False
        except Exception:
            log.exception("handler failed: %s %s", pending.request.method, pending.request.path)
            self._write_whole(pending, self._options.refuse(500, "internal error"))
            self._finished(pending)
            return True
        self._task = self._loop.create_task(self._answer(pending, resume(handler, first)))
        return False

    async def _answer(self, pending: Pending, begun: Coroutine[Any, Any, AnyResponse] | None = None) -> None:
        """`begun` is a handler that has run to its first suspension."""
        try:
            response: AnyResponse = await (begun or self._handler(pending.request))
        except Exception:
            log.exception("handler failed: %s %s", pending.request.method, pending.request.path)
            response = self._options.refuse(500, "internal error")
        if type(response) is Response and type(response.body) is bytes:
            self._write_whole(pending, response)
            self._finished(pending)
            self._next()
        else:
            await self._deliver(pending, response)

    async def _deliver(self, pending: Pending, response: AnyResponse) -> None:
        self._output.flush()
        try:
            if isinstance(response, UpgradeResponse):
                await self._run_upgrade(response)
            elif isinstance(response, StreamResponse):
                await self._run_stream(pending, response)
            else:
                await self._write_pieces(pending, response)
        except ConnectionError:
            self.closing = True
        except asyncio.CancelledError:
            self.closing = True
            if not self.is_closed:
                self.transport.close()
        except Exception:
            log.exception("answer broke off: %s %s", pending.request.method, pending.request.path)
            if not self.is_closed:
                self.transport.abort()
            return
        self._finished(pending)
        self._next()

    def _finished(self, pending: Pending) -> None:
        self.busy = self.streaming = False
        self._task = None
        self.since = self._loop.time()
        if self.is_closed:
            return
        if self._refusal is not None and not self._queue:
            self._send_refusal()
        elif pending.is_unread:
            self._turn_deaf()
        elif (self.closing and not self._refused) or not pending.keep_alive or pending.upgrade:
            self.is_closed = True
            self._output.flush()
            self.transport.close()
        elif self._expects:
            self._expects = False
            self._output.add(_CONTINUE)

    def _turn_deaf(self) -> None:
        """The answer came before the whole request: nobody listens to its rest, and the client has a moment to read why."""
        self._refused = self.closing = True
        if self._incoming is not None:
            self._incoming.throw_away()
            self._incoming = None
        self._output.flush()
        self._loop.call_later(LINGER, self.transport.close)

    def _framing(self, pending: Pending, length: str, *, whole: bool = True) -> str:
        """A stream may be the answer to a body that goes on meanwhile: its client must not take the connection for closed."""
        ends = not pending.keep_alive or pending.upgrade or (whole and pending.is_unread)
        if (self.closing and not self._refused) or ends:
            return f"{length}connection: close\r\n\r\n"
        return f"{length}connection: keep-alive\r\n\r\n" if pending.old else f"{length}\r\n"

    def _write_whole(self, pending: Pending, response: Response) -> None:
        if self.is_closed:
            return
        body: bytes = response.body  # type: ignore[assignment]
        status = response.status
        length = f"content-length: {len(body)}\r\n" if status not in (204, 304) and status >= 200 else ""
        if pending.request.method == "HEAD" and "content-length" in response.headers:
            length = ""  # a proxy knows how long the body would have been
        top = head(status, response.headers, response.repeated_headers, self._framing(pending, length))
        if pending.request.method == "HEAD" or not length:
            self._output.add(top)
        elif len(body) <= PIECE:
            self._output.add(top + body)
        else:
            self._output.flush()
            self.transport.writelines([top, body])

    async def _write_pieces(self, pending: Pending, response: Response) -> None:
        body, size = sized(response.body)
        framing = self._framing(pending, f"content-length: {size}\r\n")
        self.transport.write(head(response.status, response.headers, response.repeated_headers, framing))
        if pending.request.method == "HEAD":
            return
        for piece in pieces(body):
            if self.is_closed:
                raise ConnectionResetError("the client is gone")
            self.transport.write(piece)
            await self.drain()
            await asyncio.sleep(0)

    async def _run_stream(self, pending: Pending, response: StreamResponse) -> None:
        self.streaming = True
        self._patient = response.patient
        chunked = not pending.old
        if not chunked:
            pending.keep_alive = False
        framing = self._framing(pending, "transfer-encoding: chunked\r\n" if chunked else "", whole=False)
        self.transport.write(head(response.status, response.headers, response.repeated_headers, framing))
        writer = ChunkedWriter(self, chunked=chunked, silent=pending.request.method == "HEAD")
        if pending.request.method != "HEAD":
            await response.run(writer)
        writer.finish()

    async def _run_upgrade(self, response: UpgradeResponse) -> None:
        self.streaming = True
        self._patient = True
        first, self._leftover = self._leftover, b""
        self._raw = RawConnection(self, first)
        self.transport.write(head(101, response.headers, (), "\r\n"))
        try:
            await response.run(self._raw)
        finally:
            self.closing = True

    def shut_down(self, *, now: bool = False) -> None:
        """Close when idle, else after the answer at work; streams are cancelled."""
        self.closing = True
        if self._task is not None and (now or self.streaming):
            self._task.cancel()
        elif not self.busy and not self.is_closed:
            self._output.flush()
            self.transport.close()
