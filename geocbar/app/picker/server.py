"""The picker's web server: this machine only, for whoever holds the token, and nothing but the picker's own files."""

from __future__ import annotations

import hmac
import json
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from geocbar.app.picker.requests_answered import Answer, Desk
from geocbar.errors import GeocbarError, InvalidInputError, NotFoundError

__all__ = ["PickerServer"]

#: Largest bodies taken, in bytes: a request, and a picture.
MOST_BYTES, MOST_PICTURE_BYTES = 1_000_000, 300_000_000

#: A connection that says nothing for so many seconds is closed.
SILENCE_S = 60

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

#: The page loads its own modules and nothing else; nobody may frame it, and it tells nobody where it is.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: A report is a page of its own, with everything in it; it is shown as if it came from nowhere.
_RESULT_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class PickerServer(ThreadingHTTPServer):
    """Serves one picker at 127.0.0.1.

    Parameters
    ----------
    desk : Desk
        Answers requests.
    port : int
        0: any free one.
    """

    daemon_threads = True
    # Another program must not be able to take the address over.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, desk: Desk, port: int = 0) -> None:
        self.desk = desk
        self.token = secrets.token_urlsafe(24)
        folder = files("geocbar.app.picker") / "static"
        self.static = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What to open in a browser: the token stands behind the #, which no browser sends or passes on."""
        return f"http://127.0.0.1:{self.port}/#{self.token}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hung up is no news; anything else is, and goes to the terminal."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _RefusedError(Exception):
    """A request that is not answered."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: PickerServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "geocbar", ""
    timeout = SILENCE_S

    def do_GET(self) -> None:
        self._answer(self._got)

    def do_POST(self) -> None:
        self._answer(self._posted)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the user's."""

    def _answer(self, work: Any) -> None:
        try:
            self._require_local()
            answer = work()
        except _RefusedError as error:
            self.close_connection = True  # its body may not have been read
            answer = Answer.of_json({"message": str(error), "hint": ""}, error.status)
        except GeocbarError as error:
            status = HTTPStatus.NOT_FOUND if isinstance(error, NotFoundError) else HTTPStatus.UNPROCESSABLE_ENTITY
            answer = Answer.of_json({"message": error.message, "hint": error.hint}, status)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            said = f"geocbar stumbled: {type(error).__name__}: {error}."
            answer = Answer.of_json({"message": said, "hint": ""}, HTTPStatus.INTERNAL_SERVER_ERROR)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {
            "Content-Type": answer.kind,
            "Content-Length": str(len(answer.body)),
            "Content-Security-Policy": _RESULT_POLICY if answer.is_result else _PAGE_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _require_local(self) -> None:
        """Refuse requests under another name than ours, as a page elsewhere sends them that points its name here."""
        names = {f"127.0.0.1:{self.server.port}", f"localhost:{self.server.port}"}
        if self.headers.get("Host", "") not in names:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "This is not the address of the picker.")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{name}" for name in names}:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "Another page asked.")

    def _require_token(self) -> None:
        given = self.headers.get("X-Geocbar-Token", "")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            raise _RefusedError(
                HTTPStatus.UNAUTHORIZED, "The address lacks the right token: open the one the terminal shows."
            )

    def _got(self) -> Answer:
        parts = urlsplit(self.path)
        if parts.path == "/":
            return self._static("index.html")
        if parts.path.startswith("/static/"):
            return self._static(parts.path.removeprefix("/static/"))
        if parts.path.startswith("/result/"):
            return self.server.desk.result(parts.path.removeprefix("/result/"))
        self._require_token()
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        return self.server.desk.get(parts.path, query)

    def _posted(self) -> Answer:
        self._require_token()
        parts = urlsplit(self.path)
        picture = parts.path == "/api/image"
        body = self._body(MOST_PICTURE_BYTES if picture else MOST_BYTES)
        if picture:
            name = parse_qs(parts.query).get("name", [""])[-1]
            return self.server.desk.take_picture(name, body)
        try:
            details = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            raise InvalidInputError("The request is not JSON.", "Load the page again.") from None
        if not isinstance(details, dict):
            raise InvalidInputError("The request is no JSON object.", "Load the page again.")
        return self.server.desk.post(parts.path, details)

    def _body(self, most: int) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or self.headers.get("Transfer-Encoding"):
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "The request does not say how long it is.")
        if len(length) > 12 or int(length) > most:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The request is larger than {most / 1e6:g} MB, which is the limit.",
            )
        return self.rfile.read(int(length))

    def _static(self, name: str) -> Answer:
        body = self.server.static.get(name)
        if body is None:
            raise NotFoundError("There is no such page.", "")
        ending = name[name.rfind(".") :]
        return Answer(body, f"{_TYPES.get(ending, 'application/octet-stream')}; charset=utf-8")
