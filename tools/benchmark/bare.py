"""The bare endpoint that the API is compared with: the same framework and driver, one INSERT, nothing else.

`python -m tools.benchmark.bare PORT`; the database is that of TENOR_DATABASE_URL.
"""

import os
import sys
from typing import Annotated

import uvicorn
from fastapi import Body, FastAPI
from psycopg_pool import ConnectionPool

CONNECTIONS = 32


def bare_app(pool: ConnectionPool) -> FastAPI:
    """Return an application with one route, which commits one row before it answers."""
    app = FastAPI(openapi_url=None)

    @app.post("/bare")
    def keep(said: Annotated[dict[str, str], Body()]) -> dict[str, int]:
        with pool.connection() as connection:
            row = connection.execute("insert into bare (name) values (%s) returning id", [said["name"]]).fetchone()
        return {"id": row[0] if row else 0}

    return app


def main() -> None:
    """Make the table and serve until told to stop."""
    with ConnectionPool(os.environ["TENOR_DATABASE_URL"], min_size=1, max_size=CONNECTIONS, open=True) as pool:
        with pool.connection() as connection:
            connection.execute(
                "create table if not exists bare (id bigint generated always as identity primary key, name text)"
            )
        uvicorn.run(bare_app(pool), host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
