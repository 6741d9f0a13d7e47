"""What the driver raises when its server is away, or goes away in the middle of a statement."""

import asyncpg

LOST = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError,
    # The protocol's own state, when a connection is lost between being taken and being asked.
    asyncpg.InternalClientError,
)  # fmt: skip
"""The connection is gone, or of no use any more."""

FAILED = (*LOST, asyncpg.PostgresError)
"""Whatever can befall a statement."""
