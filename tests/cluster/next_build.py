"""The build after this one: this tree's image, and in it one more revision of each service's schema.

A cluster is upgraded to it, from this build. So both sides are there in a clone without history, too, and the migration
is never empty. That the *code* of the release before works beside this one's is tests/faults/test_deploys.py's subject,
which takes it out of git's history.
"""

from __future__ import annotations

from pathlib import Path

from deploy.images import docker
from services.chassis.revisions import revisions

TABLES = {"booking": "booking", "payments": "payment", "notifications": "delivery"}
"""The one that each service writes most; only booking's is indexed, by a revision of its own."""
COLUMN = '''"""A column of a newer build, with a default."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("ALTER TABLE {table} ADD COLUMN planted text NOT NULL DEFAULT 'of a newer build'")
'''
INDEX = '''"""An index on it, built beside the traffic."""

from services.chassis.migration import index_concurrently

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    index_concurrently("booking_planted", "{table} (planted)")
'''


def planted() -> dict[str, list[tuple[str, str]]]:
    """By service its new revisions, oldest first, each with its text."""
    found: dict[str, list[tuple[str, str]]] = {}
    for service, table in TABLES.items():
        before = revisions(service)[-1]
        for text in (COLUMN, INDEX) if service == "booking" else (COLUMN,):
            revision = f"{service}_{int(before.rpartition('_')[2]) + 1:04}"
            found.setdefault(service, []).append((revision, text.format(revision=revision, before=before, table=table)))
            before = revision
    return found


def newest() -> dict[str, str]:
    """The revision that each schema has after the upgrade."""
    return {service: found[-1][0] for service, found in planted().items()}


def build(folder: Path, this: str) -> str:
    """Lay it on the image of this build; returns its name. `folder` is an empty one, to build in.

    Raises docker.NoDocker, and subprocess.CalledProcessError.
    """
    code = ("python", "-c", "import services.booking; print(services.booking.__path__[0])")
    services = Path(docker.run("run", "--rm", "--network", "none", this, *code)).parent
    for service, found in planted().items():
        (folder / service / "migrations").mkdir(parents=True)
        for revision, text in found:
            number = revision.rpartition("_")[2]
            (folder / service / "migrations" / f"{number}_planted.py").write_text(text)
    lines = [f"FROM {this} AS next", *(f"COPY {service} {services}/{service}" for service in planted())]
    (folder / "Dockerfile").write_text("\n".join(lines))
    name = f"{this.rpartition(':')[0]}:next"
    docker.build(folder, folder / "Dockerfile", "next", {}, {}, ("--tag", name))
    return name
