"""The parts that tests stand on, and what happens where one is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests import parts

ROOT = Path(__file__).parent.parent


def test_a_postgres_database_is_empty_and_real(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute(
            "SELECT current_setting('server_encoding'), count(*) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
    assert row == ("UTF8", 0)


def test_two_postgres_databases_do_not_share_tables(
    postgres: parts.Postgres, postgres_url: str
) -> None:
    other = postgres.create()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE here (n int)")
    with psycopg.connect(postgres.url(other)) as connection:
        assert connection.execute("SELECT to_regclass('here')").fetchone() == (None,)
    postgres.drop(other)


def test_a_dropped_database_is_gone_even_with_a_connection_left(
    postgres: parts.Postgres,
) -> None:
    name = postgres.create()
    left = psycopg.connect(postgres.url(name))
    postgres.drop(name)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.url(name))
    left.close()


def test_a_database_url_works_on_both_kinds(database_url: str) -> None:
    url = database_url.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (n integer)"))
        connection.execute(text("INSERT INTO kept VALUES (1)"))
        assert connection.execute(text("SELECT n FROM kept")).scalar() == 1
    engine.dispose()


@pytest.mark.required("postgres")
def test_the_server_ends_and_leaves_no_files() -> None:
    server = parts.find("postgres")
    assert server
    cluster = parts.Postgres(server)
    home = cluster._home
    assert home.exists()
    cluster.stop()
    assert not home.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url("postgres"))


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize(
    ("require", "outcome", "code"), [("0", "1 skipped", 0), ("1", "1 error", 1)]
)
def test_a_missing_part_is_said_aloud_and_fails_where_it_is_required(
    tmp_path: Path, require: str, outcome: str, code: int, workers: str
) -> None:
    case = tmp_path / "test_case.py"
    case.write_text(
        "import pytest\n@pytest.mark.required('sfeed')\ndef test_case():\n    assert True\n"
    )
    options = ["-q", "-c", "pyproject.toml", "--rootdir=.", "-p", "no:cacheprovider", "-n", workers]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "tests.conftest", str(case)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path), parts.REQUIRE: require},
        check=False,
    )
    assert outcome in run.stdout
    assert "MISSING PART: sfeed: 1 test(s) did not run" in run.stdout
    assert run.returncode == code
