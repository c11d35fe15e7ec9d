"""The parts `tests/servers/run.py` starts on loopback: databases, Prefect servers, the nightly service, receivers.

Everything is started with a folder and a port of its own and ended by the handle it was started with.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import pwd
import shutil
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PG_TOOLS = ("initdb", "postgres", "pg_dump", "createdb")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pg_tools() -> dict[str, Path] | None:
    """Where PostgreSQL's programs are; Debian keeps them out of the path."""
    folders = [Path(p) for p in os.environ.get("PATH", "").split(os.pathsep) if p]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        found = {name: folder / name for name in PG_TOOLS}
        if all(path.exists() for path in found.values()):
            return found
    return None


@dataclass(frozen=True)
class Database:
    url: str
    dump: Callable[[], str]


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    path = folder / "prefect.db"

    def dump() -> str:
        # the file's own bytes too: a deleted row stays in a free page
        raw = b"".join(p.read_bytes() for p in sorted(folder.glob("prefect.db*")))
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return "\n".join(db.iterdump()) + raw.decode("utf-8", errors="replace")

    yield Database(f"sqlite+aiosqlite:///{path}", dump)


@contextmanager
def postgres(_folder: Path) -> Iterator[Database]:
    """A cluster of its own; PostgreSQL refuses to run as root, so root runs it as the package's user."""
    tools = pg_tools()
    assert tools is not None
    user = "postgres" if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="rothbook-pg-"))
    if user:
        os.chown(home, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    port, cluster = free_port(), home / "cluster"

    def call(tool: str, *arguments: str) -> str:
        command = [str(tools[tool]), *arguments]
        done = subprocess.run(command, user=user, cwd=home, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    call("initdb", "-D", str(cluster), "-U", "prefect", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = ("-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={home}")
    command = [str(tools["postgres"]), "-D", str(cluster), *options]
    with (home.parent / f"{home.name}.log").open("w") as log:
        server = subprocess.Popen(command, user=user, cwd=home, stdout=log, stderr=log)
    at = ("-h", "127.0.0.1", "-p", str(port), "-U", "prefect")
    try:
        until(lambda: _connects(port), 60)
        until(lambda: _succeeds(lambda: call("createdb", *at, "prefect")), 30)
        yield Database(
            f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect",
            lambda: call("pg_dump", *at, "--inserts", "prefect"),
        )
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown
        server.wait(60)
        shutil.rmtree(home, ignore_errors=True)
        (home.parent / f"{home.name}.log").unlink(missing_ok=True)


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _succeeds(act: Callable[[], Any]) -> bool:
    try:
        act()
    except subprocess.CalledProcessError:
        return False
    return True


def until(seen: Callable[[], Any], seconds: float, pause: float = 0.5) -> Any:
    """What `seen` gives once it gives something; raises `TimeoutError` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.HTTPError):
            found = seen()
            if found:
                return found
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(pause)


@dataclass
class Received:
    """What the receivers of notifications were sent."""

    webhook: list[str] = field(default_factory=list)
    mail: list[str] = field(default_factory=list)


@contextmanager
def webhook(received: Received) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.webhook.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:  # type: ignore[override]
            """Nothing on the terminal."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _served(server) as port:
        yield port


@contextmanager
def mailbox(received: Received) -> Iterator[int]:
    """A mail server that takes every message: just enough of SMTP."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            while line := self.rfile.readline().decode(errors="replace").strip():
                verb = line.split()[0].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode(errors="replace").rstrip("\r\n"), ".")
                    received.mail.append("\n".join(lines))
                self._say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


class Process:
    """A process with a group of its own, its output in a file."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        with log.open("a") as target:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=target, stderr=target, start_new_session=True
            )

    def kill(self) -> None:
        """End the whole group at once, as a power cut does."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        if number is signal.SIGKILL:
            self._process.wait(30)


@dataclass(frozen=True)
class PrefectServer:
    """A running Prefect server and how to ask it."""

    env: dict[str, str]
    api: httpx.Client

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = until(lambda: self._answer(path, body), 60)
        answer.raise_for_status()
        return answer.json()

    def _answer(self, path: str, body: dict[str, Any]) -> httpx.Response | None:
        """What the server says, or None while SQLite is busy with another writer."""
        answer = self.api.post(path, json=body)
        return None if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else answer

    def deployment(self) -> dict[str, Any] | None:
        answer = self.api.get("/deployments/name/nightly/rothbook-nightly")
        return dict(answer.json()) if answer.status_code == 200 else None

    def runs(self) -> list[dict[str, Any]]:
        """All flow runs, oldest first."""
        found: list[dict[str, Any]] = self.post("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC", "limit": 200})
        return found[::-1]

    def run(self, run_id: str) -> dict[str, Any]:
        answer = self.api.get(f"/flow_runs/{run_id}")
        answer.raise_for_status()
        return dict(answer.json())

    def start_run(self, deployment_id: str, **parameters: Any) -> str:
        made = self.post(f"/deployments/{deployment_id}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def make_block(self, kind: str, name: str, data: dict[str, Any]) -> None:
        block_type = self.api.get(f"/block_types/slug/{kind}").json()
        schemas = self.post("/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}})
        document = {"block_type_id": block_type["id"], "block_schema_id": schemas[0]["id"], "name": name, "data": data}
        self.post("/block_documents/", document)


@contextmanager
def prefect_server(folder: Path, database: Database) -> Iterator[PrefectServer]:
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROTHBOOK_"))}
    env |= {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": database.url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = Process(command, env, folder / "server.log")
    try:
        with httpx.Client(base_url=env["PREFECT_API_URL"], timeout=60, trust_env=False) as api:
            until(lambda: api.get("/health").status_code == 200, 240, pause=1)
            yield PrefectServer(env, api)
    finally:
        process.stop()
