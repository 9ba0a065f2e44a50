"""nginx with a configuration of the test's own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.cli.harness import free_port
from tests.programs import program
from tests.wire.sockets import PATIENCE_S, eventually

_CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} {listening};
        {server}
    }}
}}
"""


@contextlib.contextmanager
def running_nginx(folder: Path, server: str, listening: str = "") -> Iterator[str]:
    """An nginx with these directives of its server, and these words behind its address, such as `ssl`. Its host and
    port."""
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(_CONFIG.format(folder=folder, port=port, server=server, listening=listening))
    with running([program("nginx"), "-p", str(folder), "-c", str(file)], port, folder):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """A server's process, once its port is open."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_open() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        eventually(lambda: process.poll() is not None or is_open())
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
