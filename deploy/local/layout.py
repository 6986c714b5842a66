"""What a stack remembers between runs: its directory, its ports, its secrets, its replicas."""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from booking_contracts.rights import SERVICES

from deploy.local.ports import free_ports, is_free
from services.operations.databases import DATABASES

REPOSITORY = Path(__file__).resolve().parents[2]
INFRASTRUCTURE_PORTS = (
    "postgres",
    "kafka",
    "kafka-controller",
    "kafka-secure",
    "kafka-mtls",
    "stripe-simulator",
    "stripe-control",
    "mailbox",
    "mailbox-smtp",
    "clock-offset",
    "auditor",
    "console",
)
ROLES = ("postgres", "auditor", *DATABASES, *(f"{name}_owner" for name in DATABASES))


@dataclass
class Layout:
    """Names, ports and secrets of one stack. `root` holds everything the stack writes (`.local/`)."""

    root: Path
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    replicas: list[str] = field(default_factory=list)
    kafka_listeners: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """More listeners of Kafka's: name → (port, the port that its clients are told). Not remembered: for one `Stack`."""
    secure: bool = False
    """Whether it is as secured.py has it. Not remembered either."""

    @classmethod
    def load(cls, root: Path) -> "Layout":
        """What the directory remembers, or a new layout. Writes nothing: see `save`."""
        layout = cls(root=root.resolve())
        if layout.file.exists():
            remembered = json.loads(layout.file.read_text())
            layout.replicas = remembered["replicas"]
            layout.ports = remembered["ports"]
            layout.secrets = remembered["secrets"]
        for name in (*ROLES, "service-token", "unsubscribe", "console-token", "console-session"):
            layout.secrets.setdefault(name, secrets.token_hex(16))
        layout.secrets.setdefault("stripe-webhook", f"whsec_{secrets.token_hex(16)}")
        return layout

    def save(self) -> None:
        """Store the layout, readable by its owner alone."""
        for directory in (self.root, self.logs, self.pids):
            directory.mkdir(parents=True, exist_ok=True)
        content = {"replicas": self.replicas, "ports": self.ports, "secrets": self.secrets}
        write_private(self.file, json.dumps(content, indent=1))

    def choose_ports(self, keep: bool) -> None:
        """Give every process a port. Unless `keep` is set, replace ports that another program took."""
        if not keep:
            self.ports = {name: port for name, port in self.ports.items() if is_free(port)}
        needed = {*INFRASTRUCTURE_PORTS, *replica_names(1), *self.replicas}
        missing = sorted(needed - self.ports.keys())
        fresh = free_ports(len(missing), taken=set(self.ports.values()))
        self.ports.update(zip(missing, fresh, strict=True))

    @property
    def file(self) -> Path:
        return self.root / "layout.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def clock_offset_file(self) -> Path:
        return self.root / "clock-offset"

    @property
    def env_file(self) -> Path:
        return self.root / "stack.env"

    def url(self, name: str) -> str:
        """The HTTP address of a process or one of its extra ports."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def database_url(self, role: str, database: str) -> str:
        """A PostgreSQL URL for one role on one database."""
        return f"postgresql://{role}:{self.secrets[role]}@127.0.0.1:{self.ports['postgres']}/{database}"


def replica_names(replicas: int) -> list[str]:
    """`booking-1`, `payments-1`, … for that many replicas of each service."""
    return [f"{service}-{number}" for number in range(1, replicas + 1) for service in SERVICES]


def write_private(file: Path, content: str) -> None:
    """Replace the file in one step, mode 0600; threads may write the same file at once."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)
    Path(draft).replace(file)
