"""A WebSub hub of ours, a process: `python -m tests.hub PORT_FILE CERTIFICATE BASE DELIVER`.

It verifies intent, signs deliveries, and misbehaves when told to. Callback addresses that begin
with BASE (the subscriber's public address) are called at DELIVER. Besides the hub's own `/`:

    GET  /log                 every request and delivery so far, as JSON
    POST /publish             {"topic", "body", "method"?, "secret"?}: deliver; gives statuses
    POST /mode                {"mode"}: honest | silent | deny | refuse | wrong-topic | moved
    POST /probe               {"url", "body"?}: call an address, gives the status
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.patience import PATIENCE


class Hub:
    """What the hub remembers."""

    def __init__(self, base: str, deliver: str) -> None:
        self.base, self.deliver = base, deliver
        self.mode = "honest"
        self.lease: str | None = None
        self.log: list[dict[str, Any]] = []
        self.subscribers: dict[tuple[str, str], str] = {}  # (topic, callback): secret

    def call(
        self, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        url = url.replace(self.base, self.deliver, 1)
        request = urllib.request.Request(url, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""  # nobody listens

    def verify(self, form: dict[str, str]) -> None:
        query = {
            "hub.mode": "subscribe",
            "hub.topic": form["hub.topic"],
            "hub.challenge": "nonce-" + hashlib.sha256(form["hub.callback"].encode()).hexdigest(),
            "hub.lease_seconds": self.lease or form["hub.lease_seconds"],
        }
        if self.mode == "deny":
            query = {"hub.mode": "denied", "hub.topic": form["hub.topic"], "hub.reason": "not you"}
        elif self.mode == "wrong-topic":
            query["hub.topic"] += "/other"
        status, body = self.call(f"{form['hub.callback']}?{urlencode(query)}")
        right = status == 200 and body.decode() == query.get("hub.challenge", "")
        self.log.append({"what": "verified", "status": status, "right": right})
        if right and self.mode != "deny":
            self.subscribers[form["hub.topic"], form["hub.callback"]] = form["hub.secret"]

    def publish(self, order: dict[str, Any]) -> list[int]:
        body, method = order["body"].encode(), order.get("method", "sha256")
        statuses = []
        for (topic, callback), secret in list(self.subscribers.items()):
            if topic != order["topic"]:
                continue
            headers = {"Content-Type": order.get("type", "application/rss+xml")}
            if method:
                key = order.get("secret", secret).encode()
                headers["X-Hub-Signature"] = f"{method}={hmac.new(key, body, method).hexdigest()}"
            status, _ = self.call(callback, body, headers)
            statuses.append(status)
            if status == 410:
                del self.subscribers[topic, callback]
        return statuses


def handler_for(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def reply(self, status: int, value: object = None, **headers: str) -> None:
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.reply(200, {"log": hub.log, "subscribers": len(hub.subscribers)})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/mode":
                order = json.loads(raw)
                hub.mode, hub.lease = order["mode"], order.get("lease")
                self.reply(200)
            elif self.path == "/publish":
                self.reply(200, hub.publish(json.loads(raw)))
            elif self.path == "/probe":
                order = json.loads(raw)
                body = order["body"].encode() if "body" in order else None
                self.reply(200, hub.call(order["url"], body)[0])
            else:
                self.subscribe(raw)

        def subscribe(self, raw: bytes) -> None:
            form = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
            hub.log.append(
                {
                    "what": "asked",
                    "path": self.path,
                    "form": form,
                    "type": self.headers["Content-Type"],
                }
            )
            if hub.mode == "refuse":
                self.reply(500)
            elif hub.mode == "moved" and self.path == "/":
                self.reply(308, Location="/moved")
            else:
                self.reply(202)
                if hub.mode != "silent":
                    threading.Thread(target=hub.verify, args=(form,), daemon=True).start()

    return Handler


def main() -> None:
    """Serve on a free port over TLS; its number is written to the file."""
    port_file, certificate, base, deliver = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(Hub(base, deliver)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Path(port_file).write_text(str(server.server_port))
    server.serve_forever()


if __name__ == "__main__":
    main()
