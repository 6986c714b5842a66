"""Free TCP ports on the loopback interface."""

import http.client
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
LOWEST_PORT = 20_000
DEFAULT_EPHEMERAL_START = 32_768
SHARE = slice(None)
"""Which of the ports are this process's to choose from. A port is bound seconds after it was chosen, so processes that
start stacks at the same time get shares that do not meet (tests/conftest.py, and `--share` of the command line)."""


def is_free(port: int) -> bool:
    """Whether nothing listens on the port. Connections that linger in TIME_WAIT do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int, taken: set[int] | None = None) -> list[int]:
    """Distinct free ports, none of them in `taken`.

    They lie below the range the kernel gives to outgoing connections: a process that is stopped and
    started again finds its port still free.
    """
    avoid = set(taken or ())
    candidates = list(range(LOWEST_PORT, max(_ephemeral_start(), LOWEST_PORT + 1_000)))[SHARE]
    random.shuffle(candidates)
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            break
        if port not in avoid and is_free(port):
            found.append(port)
    if len(found) < count:
        raise OSError(f"only {len(found)} of {count} free ports found on {HOST}")
    return found


def answers_tcp(port: int) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def answers_http(port: int, path: str) -> bool:
    """Whether a GET of the path is answered with 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ephemeral_start() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return DEFAULT_EPHEMERAL_START
