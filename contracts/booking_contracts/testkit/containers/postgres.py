"""PostgreSQL under testcontainers: with scripts that a new cluster runs, and an address for other containers.

testcontainers' own PostgresContainer has neither, and looks for its server once a second.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import CompositeWaitStrategy, ExecWaitStrategy, LogMessageWaitStrategy

IMAGE = "postgres:18-alpine"
IMAGE_VARIABLE = "POSTGRES_IMAGE"
ALIAS = "postgres"
SUPERUSER = "postgres"
PORT = 5432
SCRIPTS = "/docker-entrypoint-initdb.d"
LISTENS = "listening on IPv4 address"
SHARED_MEMORY = "256m"
"""For queries that run in parallel: an engine gives 64 MB."""
START_SECONDS = 120
POLL_SECONDS = 0.1


class PostgreSQLContainer(DockerContainer):
    """A new cluster that answers once `start` returns, for a `with` statement; its data go with it.

    `image` is that of POSTGRES_IMAGE, or IMAGE, when left out. `password` is the superuser's, `settings` are those of
    postgresql.conf. `scripts` is a directory whose *.sql files psql runs once as the superuser, in the order of their
    names; they may read its other files, and `environment`. `port` is the host's, one that is free when left out. On
    a `network` it is called `alias`. Starting raises TimeoutError after START_SECONDS, and RuntimeError when the
    server ends before, as it does when a script fails.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        network: Network | None = None,
        alias: str = ALIAS,
        password: str = SUPERUSER,
        settings: Mapping[str, str] | None = None,
        scripts: Path | None = None,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(
            image or os.environ.get(IMAGE_VARIABLE) or IMAGE,
            network=network,
            network_aliases=[alias],
            hostname=alias,
            shm_size=SHARED_MEMORY,
        )
        self.alias = alias
        self.password = password
        self.with_bind_ports(PORT, port)
        self.env.update({**(environment or {}), "POSTGRES_PASSWORD": password})
        chosen = [part for name, value in (settings or {}).items() for part in ("-c", f"{name}={value}")]
        self.with_command(["postgres", *chosen])
        for file in sorted(scripts.iterdir()) if scripts else ():
            self.with_copy_into_container(file, f"{SCRIPTS}/{file.name}")
        # While its scripts run it does not listen on TCP. The log ends the wait when the server ends.
        waiting = CompositeWaitStrategy(
            LogMessageWaitStrategy(LISTENS), ExecWaitStrategy(["pg_isready", "-q", "-h", "127.0.0.1"])
        )
        self.waiting_for(waiting.with_startup_timeout(START_SECONDS).with_poll_interval(POLL_SECONDS))

    def url(self, role: str = SUPERUSER, password: str | None = None, database: str = SUPERUSER) -> str:
        """A PostgreSQL URL for clients on the host; the superuser's own when everything is left out."""
        host = f"{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"
        return self._url(host, role, password, database)

    def url_inside(self, role: str = SUPERUSER, password: str | None = None, database: str = SUPERUSER) -> str:
        """The same for containers on the same network."""
        return self._url(f"{self.alias}:{PORT}", role, password, database)

    def _url(self, host: str, role: str, password: str | None, database: str) -> str:
        return f"postgresql://{role}:{quote(password or self.password, safe='')}@{host}/{database}"
