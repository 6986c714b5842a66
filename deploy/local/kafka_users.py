"""Users of Kafka with their passwords (SCRAM), tokens and rights, set over a listener whose clients may do so."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from time import time
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from booking_contracts.rights import Right

ALLOW, LITERAL, PREFIXED = 3, 3, 4
RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
SCRAM_SHA_512, ROUNDS = 2, 4096
"""Kafka's codes: KIP-140, KIP-290, KIP-554."""


async def give_passwords(bootstrap_servers: str, passwords: Mapping[str, str]) -> None:
    """By user; who had another password has this one from the next login on. Raises aiokafka's errors."""
    answer = await _ask(bootstrap_servers, _GivePasswords(passwords))
    _check((code, f"{user}: {text}") for user, code, text, _ in answer.results)


def unsigned_token(user: str, seconds: float) -> str:
    """Of OAUTHBEARER, good for so long; nobody has signed it, and the stack's broker takes it all the same."""
    now = time()
    parts = {"alg": "none"}, {"sub": user, "iat": now, "exp": now + seconds}
    head, claims = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{claims}."


async def give_rights(bootstrap_servers: str, rights: Mapping[str, Iterable[Right]]) -> None:
    """By user, beside those that it has. Raises aiokafka's errors."""
    answer = await _ask(bootstrap_servers, _GiveRights(rights))
    _check((code, str(text)) for code, text in answer.creation_responses)


async def _ask(bootstrap_servers: str, request: Request[Any]) -> Any:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        return await admin._send_request(request)
    finally:
        await admin.close()


def _check(answers: Iterable[tuple[int, str]]) -> None:
    for code, text in answers:
        if code != NoError.errno:
            raise for_code(code)(text)


class _GiveRights(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """CreateAcls for many at once; aiokafka's own is for one."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, rights: Mapping[str, Iterable[Right]]) -> None:
        self._rights = rights

    def build(self, kind: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return kind(
            [
                (
                    RESOURCES[right.resource],
                    right.name,
                    PREFIXED if right.prefixed else LITERAL,
                    f"User:{user}",
                    "*",
                    OPERATIONS[operation],
                    ALLOW,
                )
                for user, granted in self._rights.items()
                for right in granted
                for operation in right.operations
            ]
        )


class _PasswordsGiven(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _GivePasswords_v0(RequestStruct):  # type: ignore[misc] # noqa: N801
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 51, 0, True, _PasswordsGiven
    SCHEMA = Schema(
        ("deletions", CompactArray(("user", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _GivePasswords(Request[_GivePasswords_v0]):  # type: ignore[misc]
    """AlterUserScramCredentials, which aiokafka lacks."""

    API_KEY = 51

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords

    def build(self, kind: type[_GivePasswords_v0]) -> _GivePasswords_v0:
        wanted: list[tuple[Any, ...]] = []
        for user, password in self._passwords.items():
            salt = secrets.token_bytes(16)
            salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
            wanted.append((user, SCRAM_SHA_512, ROUNDS, salt, salted, {}))
        return kind([], wanted, {})
