"""A platform that can lie, loop, hide and break off."""

import base64
import email
import http.server
import json
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any


class StandIn:
    """A platform as a real HTTP server in this process: it lists what a test puts into it, and fails on request.

    Not a judge of anything: `gateway.sandbox` is. This one can lie, loop, hide and break off, which that one cannot.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.flows: list[dict[str, Any]] = []
        self.documents: dict[tuple[str, str], bytes] = {}
        self.page = 100
        self.searches: list[dict[str, Any]] = []
        self.lose_answers = 0
        """How many of the next deposits are taken in without an answer."""

        self.refuse_deposits: tuple[int, str] | None = None
        self.broken = 0
        """How many of the next searches answer 500."""

        self.headers: dict[str, str] = {}
        """Sent with every answer."""

        self.cursor_loop = False
        self.webhook_key = b"k" * 32
        self.webhooks: list[str] = []
        self.lines: dict[str, str | None] = {}
        """The directory: address to state."""

        self.units: set[str] = set()
        """SIRENs that the directory knows although they have no line."""

        self.directory_says: tuple[int, bytes] | None = None
        """What the directory answers to everything instead."""

        self.directory_asked = 0
        stand_in = self

        class Door(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.answer(*stand_in.post(self.path, self.headers, body))

            def do_GET(self) -> None:
                self.answer(*stand_in.get(self.path))

            def answer(self, status: int, content: bytes | dict[str, Any]) -> None:
                if status == 0:
                    self.close_connection = True
                    return
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                for name, value in stand_in.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def put(self, flow_id: str, document: bytes | None = None, **fields: Any) -> dict[str, Any]:
        """List a flow from now on, or change it; by default a status for us that is acknowledged."""
        at = f"{fields.pop('at', None) or self.now():%Y-%m-%dT%H:%M:%S.%f}Z"
        known = next((flow for flow in self.flows if flow.get("flowId") == flow_id), None)
        if known is None:
            known = {"flowId": flow_id, "submittedAt": at, "name": "statut.xml", "flowSyntax": "CDAR",
                     "flowProfile": "Undefined", "processingRule": "NotApplicable",
                     "processingRuleSource": "Computed", "flowType": "CustomerInvoiceLC", "flowDirection": "In",
                     "acknowledgement": {"status": "Ok"}}
            self.flows.append(known)
        known |= {"updatedAt": at, **fields}
        if document is not None:
            self.documents[flow_id, "Original"] = document
        return known

    def outgoing(self, tracking_id: str) -> list[dict[str, Any]]:
        """What was deposited under a tracking id."""
        return [flow for flow in self.flows if flow.get("trackingId") == tracking_id and flow["flowDirection"] == "Out"]

    def post(self, path: str, headers: Any, body: bytes) -> tuple[int, bytes | dict[str, Any]]:
        if path == "/token":
            return 200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        if path == "/flow-service/v1/flows/search":
            return self.search(json.loads(body))
        if path.startswith("/directory-service/v1/"):
            return self.look_up(path, json.loads(body)["filters"]["siren"]["value"])
        if path == "/flow-service/v1/webhooks":
            self.webhooks.append(json.loads(body)["callbackUrl"])
            return 201, {"webhookId": str(uuid.uuid4()), "createdAt": "2026-11-23T09:00:00Z",
                         "signingKey": base64.b64encode(self.webhook_key).decode()}
        return self.deposit(headers, body) if path == "/flow-service/v1/flows" else (404, {"errorCode": "MISSING"})

    def look_up(self, path: str, siren: str) -> tuple[int, bytes | dict[str, Any]]:
        """A search in the directory."""
        self.directory_asked += 1
        if self.directory_says is not None:
            return self.directory_says
        if "/siren/" in path:
            return 200, {"results": [{"siren": siren}] if siren in self.units else []}
        return 200, {"results": [
            {"addressingIdentifier": address, "siren": siren, "platformType": "WK",
             **({"directoryLineStatus": state} if state else {})}
            for address, state in self.lines.items() if address.startswith(siren)]}

    def deposit(self, headers: Any, body: bytes) -> tuple[int, bytes | dict[str, Any]]:
        if self.refuse_deposits is not None:
            status, code = self.refuse_deposits
            return status, {"errorCode": code, "errorMessage": "refused on request"}
        message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                 for part in message.get_payload()}
        info = json.loads(parts["flowInfo"])
        flow_id = f"out-{len(self.flows) + 1}"
        flow = self.put(flow_id, parts["file"], **info, flowDirection="Out", acknowledgement={"status": "Pending"},
                        flowType="CustomerInvoiceLC" if info["flowSyntax"] == "CDAR" else "CustomerInvoice")
        if self.lose_answers:
            self.lose_answers -= 1
            return 0, b""
        return 202, {**info, "flowId": flow_id, "submittedAt": flow["submittedAt"]}

    def search(self, wanted: dict[str, Any]) -> tuple[int, bytes | dict[str, Any]]:
        self.searches.append(wanted)
        if self.broken:
            self.broken -= 1
            return 500, {"errorCode": "INTERNAL_ERROR"}
        where = wanted["where"]
        after = datetime.fromisoformat(where.get("updatedAfter", "1970-01-01T00:00:00Z"))
        found = [flow for flow in self.flows
                 if datetime.fromisoformat(flow.get("updatedAt", "2026-11-23T08:59:59Z")) > after
                 and where.get("trackingId") in {None, flow.get("trackingId")}
                 and flow.get("flowDirection") in where.get("flowDirection", [flow.get("flowDirection")])]
        start = int(wanted.get("cursor", "0"))
        rest = {"nextCursor": "0" if self.cursor_loop else str(start + self.page)}
        more = rest if self.cursor_loop or len(found) > start + self.page else {}
        return 200, {"limit": wanted["limit"], "filters": where, "results": found[start:start + self.page], **more}

    def get(self, path: str) -> tuple[int, bytes | dict[str, Any]]:
        flow_id, _, query = path.rpartition("/")[2].partition("?")
        doc_type = query.partition("docType=")[2].partition("&")[0] or "Metadata"
        flow = next((flow for flow in self.flows if flow.get("flowId") == flow_id), None)
        if doc_type == "Metadata" and flow is not None:
            return 200, flow
        document = self.documents.get((flow_id, doc_type))
        return (200, document) if document is not None else (404, {"errorCode": "MISSING_RESOURCE"})
