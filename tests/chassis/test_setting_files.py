"""Every setting may lie in a file, which is read anew when it changes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.chassis import setting_files
from services.chassis.database import Address
from services.chassis.setting_files import FileSettings
from services.chassis.settings import LONGEST_INSTANCE, Settings
from services.notifications.app import Settings as NotificationsSettings
from services.operations.console.settings import ConsoleSettings
from services.payments.app import Settings as PaymentsSettings

pytestmark = pytest.mark.requirement("secrets")
COMMON = {"DATABASE_URL": "postgresql://nowhere", "KAFKA_BOOTSTRAP_SERVERS": "localhost:1"}
MAIL = {"SMTP_HOST": "h", "SMTP_PORT": "25", "MAIL_FROM": "a@example.com", "ADMIN_EMAIL": "b@example.com"}
OPERATOR = '[{"name": "%s", "token_sha256": "00", "roles": ["viewer"]}]'
TOKENS = '[{"name": "n", "token_sha256": "%s", "scopes": []}]'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    return Files(tmp_path, monkeypatch)


class Files:
    """The environment, and secrets that are mounted."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self._directory, self._patch = directory, patch
        self.env(**COMMON)

    def env(self, **values: str) -> None:
        for name, value in values.items():
            self._patch.setenv(name, value)

    def mount(self, name: str, text: str) -> Path:
        """As it is done on rotation: the new file takes the old one's place in one step."""
        draft, file = self._directory / "draft", self._directory / name
        draft.write_text(text)
        draft.replace(file)
        self.env(**{f"{name}_FILE": str(file)})
        return file


def secret(value: Any) -> Any:
    return value.get_secret_value()


@pytest.mark.parametrize(
    ("kind", "name", "texts", "read"),
    [
        (Settings, "DATABASE_PASSWORD", ("one", "two"), lambda it: secret(it.database_password)),
        (Settings, "KAFKA_SASL_PASSWORD", ("one", "two"), lambda it: secret(it.kafka_sasl_password)),
        (Settings, "API_TOKENS", (TOKENS % "one", TOKENS % "two"), lambda it: it.api_tokens[0].token_sha256),
        (PaymentsSettings, "STRIPE_API_KEY", ("one", "two"), lambda it: it.stripe_key_now()),
        (
            PaymentsSettings,
            "STRIPE_WEBHOOK_SECRETS",
            ('["one"]', '["two"]'),
            lambda it: it.webhook_secrets_now()[0],
        ),
        (NotificationsSettings, "SMTP_PASSWORD", ("one", "two"), lambda it: it.smtp_password_now()),
        (ConsoleSettings, "CONSOLE_TOKENS", (OPERATOR % "one", OPERATOR % "two"), lambda it: it.console_tokens[0].name),
        (ConsoleSettings, "CONSOLE_PROXY_SECRET", ("one", "two"), lambda it: secret(it.console_proxy_secret)),
    ],
)
def test_each_secret_is_read_from_its_file_and_again_when_it_changes(
    files: Files, kind: type[FileSettings], name: str, texts: tuple[str, str], read: Any
) -> None:
    files.env(**MAIL)
    if kind is ConsoleSettings:
        given = {"CONSOLE_SESSION_SECRETS": json.dumps(["s" * 32]), "CONSOLE_TOKENS": OPERATOR % "zero"}
        files.env(**{other: text for other, text in given.items() if other != name})
    if kind is PaymentsSettings:
        given = {"STRIPE_API_KEY": "sk", "STRIPE_WEBHOOK_SECRETS": '["w"]'}
        files.env(**{other: text for other, text in given.items() if other != name})
    files.mount(name, texts[0])
    settings = kind()
    assert read(settings.now()) == "one"
    files.mount(name, texts[1] + "\n")
    assert read(settings.now()) == "two"
    assert settings.now() is settings.now(), "what has not changed is not read again"


def test_links_in_letters_are_signed_with_the_first_secret_of_now_and_each_counts(files: Files) -> None:
    one, two = "the first secret", "the second secret"
    files.env(**MAIL, PUBLIC_URL="https://bookings.example.org")
    files.mount("UNSUBSCRIBE_SECRETS", f'["{one}"]')
    links = NotificationsSettings().links()
    assert links is not None
    old = links.to_end_reminders("a@example.com")
    files.mount("UNSUBSCRIBE_SECRETS", f'["{two}", "{one}"]')
    new = links.to_end_reminders("a@example.com")
    assert old != new
    assert None not in {links.person(link.rpartition("/")[2]) for link in (old, new)}


def test_what_is_no_value_leaves_the_last_good_one(files: Files) -> None:
    files.mount("API_TOKENS", TOKENS % "one")
    settings = Settings()
    file = files.mount("API_TOKENS", "no JSON")
    assert settings.now().api_tokens[0].token_sha256 == "one"
    file.unlink()
    assert settings.now().api_tokens[0].token_sha256 == "one"
    files.mount("API_TOKENS", TOKENS % "two")
    assert settings.now().api_tokens[0].token_sha256 == "two"


def test_a_setting_by_value_and_by_file_is_refused(files: Files) -> None:
    files.mount("DATABASE_PASSWORD", "one")
    files.env(DATABASE_PASSWORD="two")
    with pytest.raises(ValueError, match="DATABASE_PASSWORD and DATABASE_PASSWORD_FILE are both set"):
        Settings()


def test_a_bad_secret_is_not_shown(files: Files) -> None:
    files.mount("STRIPE_API_KEY", "sk_live_shown")
    files.mount("STRIPE_WEBHOOK_SECRETS", '{"whsec_shown": 1}')
    with pytest.raises(ValidationError) as refused:
        PaymentsSettings()
    assert "shown" not in str(refused.value)
    assert "shown" not in repr(Address("postgresql://booking:shown@db/booking"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, "needs KAFKA_SASL_TOKEN_FILE"),
        ({"KAFKA_SASL_MECHANISM": "PLAIN"}, "SCRAM-SHA-256"),
        ({"KAFKA_SSL_CERTFILE": "/c.pem"}, "go together"),
    ],
)
def test_half_an_access_to_kafka_is_refused_at_the_start(files: Files, given: dict[str, str], said: str) -> None:
    files.env(**given)
    with pytest.raises(ValidationError, match=said):
        Settings()


def test_tools_find_databases_by_the_same_names(files: Files) -> None:
    files.env(BOOKING_DATABASE_URL="postgresql://booking@db/booking")
    files.mount("BOOKING_DATABASE_PASSWORD", "one\n")
    found = Address.named("BOOKING_DATABASE")
    assert found is not None
    assert found.password is not None
    assert found.password() == "one"
    file = files.mount("BOOKING_DATABASE_PASSWORD", "two\n")
    assert found.password() == "two"
    file.write_bytes(b"\xff")
    assert found.password() == "two", "what cannot be read leaves the last good one"
    file.unlink()
    assert found.password() == "two"
    assert Address.named("NOBODYS_DATABASE") is None


def test_a_replica_is_named_after_its_host_unless_it_is_told(files: Files) -> None:
    assert Settings().instance == socket.gethostname()[-LONGEST_INSTANCE:]
    files.env(INSTANCE="a-release-with-a-long-name-of-its-own-payments-7d9c8b6f54-x2x4k")
    named = Settings().instance
    assert named.endswith("payments-7d9c8b6f54-x2x4k")
    assert len(f"{named}-subscribers") < 64


def test_a_file_that_could_not_be_read_is_read_when_it_can(tmp_path: Path) -> None:
    """Its content and time are the same: only its rights were mended."""
    file = tmp_path / "password"
    file.write_text("p")
    before = setting_files._stamp(file)
    file.chmod(0o640)
    assert setting_files._stamp(file) != before
