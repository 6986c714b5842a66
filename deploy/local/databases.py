"""Databases and roles of the local cluster, as a script for psql.

Per service a database of the same name, a role `<service>_owner` that owns it and runs migrations, and a role
`<service>` that reads and writes rows and owns nothing. An owner sees others' sessions, so that a migration can name
whom it waits for. `auditor` reads everything and writes nothing.
"""

import os
import subprocess
from pathlib import Path

from deploy.local.layout import SERVICES, Layout

NOT_LOGGED = "-c log_min_duration_statement=-1 -c log_min_error_statement=panic"
"""The script holds passwords: PostgreSQL would log a statement of it that is slow or fails."""


def creation_script(layout: Layout) -> str:
    """Everything that a new cluster needs, run once by its superuser."""
    auditor = f"""
        CREATE ROLE auditor LOGIN PASSWORD '{layout.secrets["auditor"]}';
        GRANT pg_read_all_data, pg_monitor TO auditor;
    """
    return auditor + "".join(_database(layout, service) for service in SERVICES)


def run_script(layout: Layout, psql: Path, script: str) -> None:
    """Run the script as superuser; the first error ends it and raises RuntimeError."""
    connection = f"host=127.0.0.1 port={layout.ports['postgres']} user=postgres dbname=postgres"
    done = subprocess.run(
        [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", connection],
        input=script,
        env={
            "PGPASSWORD": layout.secrets["postgres"],
            "PGOPTIONS": NOT_LOGGED,
            "PATH": os.environ.get("PATH", os.defpath),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"creating the databases failed: {done.stderr}")


def _database(layout: Layout, service: str) -> str:
    owner = f"{service}_owner"
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT"
    return f"""
        CREATE ROLE {owner} LOGIN PASSWORD '{layout.secrets[owner]}';
        CREATE ROLE {service} LOGIN PASSWORD '{layout.secrets[service]}';
        CREATE DATABASE {service} OWNER {owner};
        REVOKE ALL ON DATABASE {service} FROM PUBLIC;
        GRANT CONNECT, TEMPORARY ON DATABASE {service} TO {service};
        GRANT CONNECT ON DATABASE {service} TO auditor;
        GRANT pg_read_all_stats TO {owner};
        \\connect {service}
        {"CREATE EXTENSION btree_gist;" if service == "booking" else ""}
        {defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service};
        {defaults} USAGE, SELECT ON SEQUENCES TO {service};
        {defaults} EXECUTE ON FUNCTIONS TO {service};
    """
