"""Alembic's environment for every service: raw SQL over asyncpg, one transaction for all revisions."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine


def run(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(4711)"))  # replicas may migrate at the same time
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    engine = create_async_engine(context.config.attributes["url"])
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
