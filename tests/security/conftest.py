"""One stack with TLS and access lists, secrets in files; it is driven with the rights of admin tools, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from booking_contracts.client import BookingClient
from booking_contracts.rights import rights_of_admin_tools, rights_of_operators, rights_of_team
from booking_contracts.testkit.system import System

from deploy.local.certificates import openssl_is_there
from deploy.local.kafka_users import give_passwords, give_rights
from deploy.local.stack import Stack
from tests.conftest import Stacks
from tests.security.users import PASSWORD, Users


@pytest.fixture(scope="package")
def stack(stacks: Stacks) -> Iterator[Stack]:
    """Started once, stopped at the end."""
    if not openssl_is_there():
        pytest.skip("this machine has no openssl, which makes the stack's certificates")
    with stacks("security", secure=True, fast=True, contained=()) as stack:
        yield stack


@pytest.fixture(scope="package")
async def users(stack: Stack) -> Users:
    """Who is no service: a team, admin tools and operators, each with its rights."""
    rights = {
        "loyalty": rights_of_team("loyalty"),
        "backoffice": rights_of_admin_tools("backoffice"),
        "operators": rights_of_operators(),
    }
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    await give_passwords(servers, dict.fromkeys(rights, PASSWORD))
    await give_rights(servers, rights)
    return Users(stack)


@pytest.fixture(scope="package")
async def system(stack: Stack, users: Users) -> AsyncIterator[System]:
    """The running stack as admin tools see it: providers are registered by an admin."""
    async with (
        BookingClient(users.servers, source="/backoffice", security=users.security("backoffice")) as client,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        yield System(stack.env, client, http)
