"""What stands behind the proxies in end-to-end tests: says what it was asked, in HTTP on port 8080 and in HTTPS on 8443.

Standard library only, as it runs in a container that has nothing else.
"""

import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        own = "{}:{}".format(*self.connection.getsockname()[:2])
        path = self.path.partition("?")[0]
        if self.headers.get("upgrade"):
            self.shout()
        elif path == "/echo-pieces":
            self.echo_pieces()
        elif path == "/moved":
            self.reply(302, "text/plain", b"", location=f"http://{own}/elsewhere?a=b")
        elif path == "/page":
            links = "".join(f'<a href="{link}">x</a>' for link in (f"http://{own}/own/", "/root", "beside", "https://elsewhere.example/"))
            self.reply(200, "text/html; charset=utf-8", links.encode())
        elif path == "/teapot":
            self.reply(418, "text/plain", b"short and stout")
        else:
            self.reply(200, "application/json", json.dumps(self.seen(b"".join(self.pieces()))).encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond

    def seen(self, body: bytes) -> dict[str, object]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        secure = isinstance(self.connection, ssl.SSLSocket)
        digest = hashlib.sha256(body).hexdigest()
        return {"method": self.command, "target": self.path, "secure": secure, "size": len(body), "digest": digest, "headers": headers}

    def pieces(self) -> Iterator[bytes]:
        if self.headers.get("transfer-encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length") or 0))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def reply(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        fields = {"content-type": kind, "content-length": str(len(body)), "x-method": self.command, **headers}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo_pieces(self) -> None:
        """Each piece of the body is answered before the next one has come."""
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in self.pieces():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece.upper()))
        self.wfile.write(b"0\r\n\r\n")

    def shout(self) -> None:
        self.send_response(101)
        self.send_header("connection", "Upgrade")
        self.send_header("upgrade", str(self.headers["upgrade"]))
        self.end_headers()
        self.close_connection = True
        while data := self.connection.recv(4096):
            self.connection.sendall(data.upper())

    def log_message(self, *arguments: object) -> None:
        print(f"{self.command} {self.path}", flush=True)


secured = ThreadingHTTPServer(("", 8443), Backend)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
secured.socket = context.wrap_socket(secured.socket, server_side=True)
threading.Thread(target=secured.serve_forever, daemon=True).start()
print("listening", flush=True)
ThreadingHTTPServer(("", 8080), Backend).serve_forever()
