"""The server's transactions on SQLite: none fails because another one wrote in between."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli import prefect_process

WRITERS = 5


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's configuration of SQLite as Prefect has it, and so again afterwards."""
    from prefect.server.database.configurations import AioSqliteConfiguration

    own = AioSqliteConfiguration.begin_transaction
    monkeypatch.setattr(AioSqliteConfiguration, "begin_transaction", own)


async def count_at_once(database: Path) -> tuple[int, list[str]]:
    """Let writers read a number, think, and write the next one; returns it, and what failed."""
    import sqlalchemy
    from prefect.server.database.configurations import AioSqliteConfiguration

    configuration = AioSqliteConfiguration(f"sqlite+aiosqlite:///{database}")
    engine = await configuration.engine()
    read, write = (
        sqlalchemy.text("SELECT n FROM counter"),
        sqlalchemy.text("UPDATE counter SET n = :n"),
    )

    async def count() -> None:
        session = await configuration.session(engine)
        async with session, configuration.begin_transaction(session):
            found = (await session.execute(read)).scalar_one()
            await asyncio.sleep(0.1)
            await session.execute(write, {"n": found + 1})

    try:
        async with engine.begin() as connection:
            await connection.execute(sqlalchemy.text("CREATE TABLE counter (n INTEGER)"))
            await connection.execute(sqlalchemy.text("INSERT INTO counter VALUES (0)"))
        ended = await asyncio.gather(*(count() for _ in range(WRITERS)), return_exceptions=True)
        async with engine.connect() as connection:
            total = (await connection.execute(read)).scalar_one()
    finally:
        await engine.dispose()
    return total, [str(error) for error in ended if error is not None]


def test_writers_take_turns(untaught: None, tmp_path: Path) -> None:
    total, failed = asyncio.run(count_at_once(tmp_path / "before"))
    assert total < WRITERS and len(failed) == WRITERS - total  # else Prefect needs no teaching
    assert all("database is locked" in text for text in failed)

    prefect_process._take_turns()
    assert asyncio.run(count_at_once(tmp_path / "after")) == (WRITERS, [])
