"""The picker's server: this machine, this token, this folder, bounded, and never markup."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from map_job import heed_interrupts
from picker_map import draw_map
from PIL import Image

from geocbar.app.picker.opening import open_picker
from geocbar.app.picker.server import MOST_BYTES, MOST_PICTURE_BYTES, PickerServer
from geocbar.errors import FileProblemError, InvalidInputError

MARKUP = "<img src=x onerror=alert(1)>&\"'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PickerServer]:
    folder = tmp_path_factory.mktemp("maps")
    (folder.parent / "secret.txt").write_text("secret", encoding="utf-8")
    server = open_picker(draw_map(folder / "map.png"), {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    server.desk.session.close()
    thread.join()


def ask(
    server: PickerServer,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    token: str | None = "",
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    sent = {} if token is None else {"X-Geocbar-Token": token or server.token}
    link.request(method, path, body, sent | (headers or {}))
    answer = link.getresponse()
    data = answer.read()
    link.close()
    return answer.status, {key.lower(): value for key, value in answer.getheaders()}, data


def act(server: PickerServer, **details: Any) -> tuple[int, dict[str, Any]]:
    status, _, data = ask(server, "POST", "/api/act", json.dumps(details).encode())
    return status, json.loads(data)


def test_only_this_machine_and_only_with_the_token(server: PickerServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, "GET", "/api/state")[0] == 200
    for wrong in (None, "x", server.token[:-1], server.token + "x", "ü"):
        for method, path in (("GET", "/api/state"), ("GET", "/api/tile"), ("POST", "/api/act"), ("POST", "/api/image")):
            body = b"{}" if method == "POST" else None
            status, _, data = ask(
                server, method, path, body, token=None, headers={} if wrong is None else {"X-Geocbar-Token": wrong}
            )
            assert status == 401, (wrong, path)
            assert b"map.png" not in data
    assert server.token not in server.address.split("#")[0]


def test_a_page_that_points_its_name_here_is_refused(server: PickerServer) -> None:
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1", f"127.0.0.1:{server.port + 1}", ""):
        for path in ("/", "/api/state", "/static/main.js"):
            assert ask(server, "GET", path, headers={"Host": host})[0] == 403, host
    assert ask(server, "GET", "/api/state", headers={"Host": f"localhost:{server.port}"})[0] == 200


def test_another_pages_requests_are_refused(server: PickerServer) -> None:
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{server.port}"):
        assert ask(server, "POST", "/api/run", b"{}", headers={"Origin": origin})[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static//etc/passwd",
        "/static/",
        "/static",
        "/../secret.txt",
        "//etc/passwd",
        "/result/../../secret.txt",
        "/result/x/report",
        "/result/%2e%2e/report",
        "/api/../static/main.js",
        "/map.png",
        "/api/nothing",
    ],
)
def test_no_path_leads_out(server: PickerServer, path: str) -> None:
    status, headers, data = ask(server, "GET", path)
    assert status in (404, 403)
    assert b"secret" not in data
    assert b"root:" not in data
    assert b"import" not in data
    assert headers["content-type"] == "application/json"


BAD_NAMES = ("..", ".", "", "/", "..\\..", ".hidden.png", "a\0b.png", "line\nbreak.png", "x" * 300 + ".png")
LEADING_OUT = ("../evil.png", "..\\evil.png", "/etc/evil.png", "sub/evil.png", "C:\\evil.png")


def test_a_dropped_picture_stays_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    server = open_picker(draw_map(folder / "map.png"), {})
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 50, 3), 200, np.uint8)).save(buffer, format="PNG")
    for name in BAD_NAMES:
        with pytest.raises(InvalidInputError, match="is no name for a picture"):
            server.desk.take_picture(name, buffer.getvalue())
    for name in LEADING_OUT:
        server.desk.take_picture(name, buffer.getvalue())
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert after - before == {folder / "evil.png"}
    server.server_close()
    server.desk.session.close()


def test_a_dropped_picture_is_worked_on_and_never_written_over_another(tmp_path: Path) -> None:
    server = open_picker(draw_map(tmp_path / "map.png"), {})
    original = (tmp_path / "map.png").read_bytes()
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 50, 3), 200, np.uint8)).save(buffer, format="PNG")
    server.desk.take_picture("map.png", buffer.getvalue())
    assert (tmp_path / "map.png").read_bytes() == original
    assert (tmp_path / "map-2.png").read_bytes() == buffer.getvalue()
    assert server.desk.session.picture.name == "map-2.png"
    with pytest.raises(FileProblemError, match="is not a picture that can be read"):
        server.desk.take_picture("note.png", b"no picture at all")
    assert not (tmp_path / "note.png").exists()
    server.server_close()
    server.desk.session.close()


def test_bodies_are_bounded(server: PickerServer) -> None:
    for path, most in (("/api/act", MOST_BYTES), ("/api/image?name=a.png", MOST_PICTURE_BYTES)):
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-Geocbar-Token: {server.token}\r\n"
        for length, status in ((f"Content-Length: {most + 1}", b"413"), ("Content-Length: " + "9" * 40, b"413")):
            assert status in raw(server, f"{head}{length}\r\n\r\n")
        for length in ("Transfer-Encoding: chunked", "Content-Length: -5", "Content-Length: x", "X: y"):
            assert b"411" in raw(server, f"{head}{length}\r\n\r\n")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the answer may come before all is sent
        status, _, _ = ask(server, "POST", "/api/act", b" " * (MOST_BYTES + 1))
        assert status == 413


def raw(server: PickerServer, text: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link:
        link.sendall(text.encode())
        return link.recv(200).split(b"\r\n")[0]


NONSENSE = [
    *(b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff\xfe", b'{"do":5}', b'{"do":"__class__"}', b'{"do":"add"}'),
    *(b'{"do":"add","x":1e999,"y":2}', b'{"do":"move","number":true,"x":1,"y":2}'),
    *(b'{"do":"stroke","code":1,"radius":1e9,"path":[[0,0]]}', b'{"do":"stroke","code":1,"radius":5,"path":[[0]]}'),
    *(b'{"do":"bar","corners":[[1,2,3],[4]]}', b'{"do":"frame","frame":{}}', b'{"do":"panel","panel":99}'),
    *(b'{"do":"locate","number":1,"lon":[],"lat":{}}', b'{"do":"background","color":"red; x"}'),
    *(b'{"do":"model","model":"__import__"}', b'{"do":"scale","scale":"<b>"}', b'{"do":"colormap","colormap":"../x"}'),
    *(
        b'{"do":"tick_change","index":99,"position":1,"value":"1"}',
        b'{"do":"title","name":5}',
        b'{"do":"take_offered"}',
    ),
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused_with_a_sentence(server: PickerServer, body: bytes) -> None:
    before = server.desk.session.work
    status, _, data = ask(server, "POST", "/api/act", body)
    assert status in (404, 422), (status, data)
    assert json.loads(data)["message"]
    assert "stumbled" not in json.loads(data)["message"]
    assert server.desk.session.work == before


def test_headers_shut_everything_else_out(server: PickerServer) -> None:
    for path in ("/", "/static/main.js", "/api/state", "/nothing"):
        _, headers, _ = ask(server, "GET", path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "python" not in headers["server"].lower()
    page = ask(server, "GET", "/")[2].decode()
    assert "<script>" not in page
    assert "style=" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_markup_in_names_stays_text(server: PickerServer) -> None:
    number = act(server, do="add", x=100, y=100)[1]["points"][-1]["number"]
    status, state = act(server, do="rename", number=number, name=MARKUP)
    assert status == 200
    assert state["points"][-1]["name"] == MARKUP
    _, headers, _ = ask(server, "GET", "/api/state")
    assert headers["content-type"] == "application/json"
    scripts = [body.decode() for name, body in server.static.items() if name.endswith(".js")]
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert not any(unsafe in script for script in scripts), unsafe
    act(server, do="remove", number=number)


def test_tiles_are_the_picture(server: PickerServer) -> None:
    pixels = server.desk.session.picture.pixels
    status, headers, data = ask(server, "GET", "/api/tile?level=0&column=1&row=0")
    assert (status, headers["content-type"]) == (200, "image/bmp")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels[:512, 512:])
    for query in ("level=9&column=0&row=0", "level=0&column=5&row=0", "level=-1&column=0&row=0"):
        assert ask(server, "GET", f"/api/tile?{query}")[0] == 404
    for query in ("level=x&column=0&row=0", "level=1e400&column=0&row=0", "", "level=nan&column=0&row=0"):
        assert ask(server, "GET", f"/api/tile?{query}")[0] == 422


def test_lines_of_the_world_are_served(server: PickerServer) -> None:
    rings = json.loads(ask(server, "GET", "/api/land")[2])
    assert len(rings) > 500
    fine = json.loads(ask(server, "GET", "/api/coast?w=5&s=40&e=10&n=45")[2])
    assert sum(map(len, fine)) > 500
    assert ask(server, "GET", "/api/coast?w=5&s=40&e=1000&n=45")[0] == 422


def test_a_port_that_is_taken(server: PickerServer, tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match=f"Port {server.port} cannot be used"):
        open_picker(draw_map(tmp_path / "map.png"), {}, port=server.port)


def test_the_command_prints_its_address_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    path = draw_map(tmp_path / "map.png")
    command = [sys.executable, "-m", "geocbar", "pick", str(path), "--no-browser"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()[-1]
        parts = urlsplit(address)
        assert parts.hostname == "127.0.0.1"
        assert len(parts.fragment) >= 32
        link = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=20)
        link.request("GET", "/api/state", headers={"X-Geocbar-Token": parts.fragment})
        assert json.loads(link.getresponse().read())["map"]["name"] == "map.png"
        link.close()
        process.send_signal(signal.SIGINT)
        said, trouble = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, trouble
    assert "Ended. Nothing was changed." in said
    assert [p.name for p in tmp_path.iterdir()] == ["map.png"]
