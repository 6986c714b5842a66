"""Alembic's environment for every service: SQL over asyncpg, one transaction for each revision."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.chassis.database import connect
from services.chassis.migration_locks import SESSION, naming_who_blocks, one_at_a_time


def run(connection: Connection) -> None:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    database = context.config.attributes["database"]

    async def connected() -> Any:
        """By asyncpg itself: SQLAlchemy knows neither its URL's sslmode nor a password in a file."""
        return await connect(database, "migration", SESSION)

    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, async_creator=connected)
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await one_at_a_time(driver)
        async with naming_who_blocks(driver, database):
            await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
