"""An extension API server of one kind, Flunder, in memory: it believes the front proxy alone, and who it says is asking.

Standard library only, as it runs in a container that has nothing else. `/trust` is the cluster's extension-apiserver-authentication.
"""

import itertools
import json
import ssl
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

GROUP, VERSION = "wardle.example.com", "v1alpha1"
API = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{API}"
VERBS = ["create", "delete", "get", "list"]
RESOURCE = {
    "name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": VERBS, "shortNames": ["fl"],
}  # fmt: skip
SUPPORTED = {"groupVersion": API, "version": VERSION}
DOCUMENTS = {
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": GROUP, "versions": [SUPPORTED], "preferredVersion": SUPPORTED}],
    },
    ROOT: {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API, "resources": [RESOURCE]},
}
ALLOWED_NAMES = json.loads(Path("/trust/requestheader-allowed-names").read_text())
revisions = itertools.count(1)
flunders: dict[str, dict[str, Any]] = {}


class ExtensionServer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        certificate = self.connection.getpeercert() or {}
        names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
        if not names or (ALLOWED_NAMES and names[0] not in ALLOWED_NAMES):
            self.refuse(401, "Unauthorized", "who asks is not the front proxy")
        elif path in DOCUMENTS:
            self.reply(200, DOCUMENTS[path])
        elif path.startswith(f"{ROOT}/"):
            self.act(path.removeprefix(f"{ROOT}/").split("/"), body)
        else:
            self.refuse(404, "NotFound", "the server could not find the requested resource")

    do_GET = do_POST = do_DELETE = respond

    def act(self, parts: list[str], body: bytes) -> None:
        namespace, name = (parts[1], "/".join(parts[3:])) if parts[0] == "namespaces" else ("", "")
        key = f"{namespace}/{name}"
        if self.command == "POST":
            self.create(namespace, json.loads(body))
        elif not name:
            found = [flunder for key, flunder in sorted(flunders.items()) if key.startswith(f"{namespace}/") or not namespace]
            self.reply(200, {"kind": "FlunderList", "apiVersion": API, "metadata": {"resourceVersion": "1"}, "items": found})
        elif key not in flunders:
            self.refuse(404, "NotFound", f'flunders.{GROUP} "{name}" not found', {"name": name, "group": GROUP, "kind": "flunders"})
        else:
            self.reply(200, flunders.pop(key) if self.command == "DELETE" else flunders[key])

    def create(self, namespace: str, flunder: dict[str, Any]) -> None:
        metadata = flunder["metadata"]
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        metadata |= {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": now, "resourceVersion": str(next(revisions))}
        flunder["status"] = {"creator": self.headers["x-remote-user"], "groups": self.headers.get_all("x-remote-group")}
        flunders[f"{namespace}/{metadata['name']}"] = flunder
        self.reply(201, flunder)

    def refuse(self, code: int, reason: str, message: str, details: dict[str, str] | None = None) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "message": message}
        self.reply(code, status | {"code": code, "details": details or {}})

    def reply(self, code: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("", 8443), ExtensionServer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
context.load_verify_locations("/trust/requestheader-client-ca-file")
context.verify_mode = ssl.CERT_OPTIONAL
server.socket = context.wrap_socket(server.socket, server_side=True)
print("serving", flush=True)
server.serve_forever()
