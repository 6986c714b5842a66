"""Databases and roles of the local cluster: deploy/postgres/databases.sql with this stack's passwords."""

import hashlib
import os
import subprocess
from pathlib import Path

from deploy.local.layout import REPOSITORY, ROLES, Layout

SCRIPT = REPOSITORY / "deploy" / "postgres" / "databases.sql"
NOT_LOGGED = "-c log_min_duration_statement=-1 -c log_min_error_statement=panic"
"""The script's statements hold passwords: PostgreSQL would log one that is slow or fails."""


def create_databases(layout: Layout, psql: Path) -> None:
    """Everything of SCRIPT that the cluster lacks, as its superuser; the first error ends it with a RuntimeError."""
    connection = f"host=127.0.0.1 port={layout.ports['postgres']} user=postgres dbname=postgres"
    done = subprocess.run(
        [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(SCRIPT), connection],
        env={
            **passwords(layout),
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


def version() -> str:
    """Another one where the script makes something else."""
    scripts = (path.read_bytes() for path in sorted(SCRIPT.parent.iterdir()))
    return hashlib.sha256(b"".join(scripts)).hexdigest()


def passwords(layout: Layout) -> dict[str, str]:
    """The variables that the script reads."""
    return {f"{role.upper()}_PASSWORD": layout.secrets[role] for role in ROLES}
