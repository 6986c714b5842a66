"""Alembic's environment for every service: SQL over asyncpg, one transaction for each revision."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.chassis.migration_locks import SESSION, naming_who_blocks, one_at_a_time


def run(connection: Connection) -> None:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    url = context.config.attributes["url"]
    driver_url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(driver_url, poolclass=NullPool, connect_args={"server_settings": SESSION})
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await one_at_a_time(driver)
        async with naming_who_blocks(driver, url):
            await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
