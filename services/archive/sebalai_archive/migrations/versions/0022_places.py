"""Search in windows of the newest: each text of the index has its place in the order of indexing.

A new column of its own values would write the table and its indexes anew, and nobody could search
or index meanwhile. A table beside it is filled instead; under the lock comes what changed, and the
tables change places.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

COLUMNS = "record_id, label, meta, meta_plain, body, body_plain, at"
WORDS = ("meta", "meta_plain", "body", "body_plain")

BESIDE = (
    "CREATE TABLE record_text_new (LIKE record_text)",
    "ALTER TABLE record_text_new ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY",
    f"""
    INSERT INTO record_text_new ({COLUMNS})
    SELECT {COLUMNS} FROM record_text ORDER BY at, record_id
    """,  # noqa: S608 - names of ours
    "ALTER TABLE record_text_new ADD PRIMARY KEY (record_id)",
    *(f"CREATE INDEX record_text_new_{one} ON record_text_new USING gin ({one})" for one in WORDS),
    "CREATE UNIQUE INDEX record_text_new_place ON record_text_new (place)",
)
LOCKED = (
    "LOCK TABLE record_text IN ACCESS EXCLUSIVE MODE",
    """
    DELETE FROM record_text_new n WHERE NOT EXISTS (
      SELECT 1 FROM record_text t WHERE t.record_id = n.record_id AND t.at = n.at)
    """,
    f"""
    INSERT INTO record_text_new ({COLUMNS})
    SELECT {COLUMNS} FROM record_text t
    WHERE NOT EXISTS (SELECT 1 FROM record_text_new n WHERE n.record_id = t.record_id)
    ORDER BY at, record_id
    """,  # noqa: S608 - names of ours
    "DROP TABLE record_text",
    "ALTER TABLE record_text_new RENAME TO record_text",
    "ALTER INDEX record_text_new_pkey RENAME TO record_text_pkey",
    *(f"ALTER INDEX record_text_new_{one} RENAME TO record_text_{one}" for one in WORDS),
    "ALTER INDEX record_text_new_place RENAME TO record_text_place",
    "ALTER SEQUENCE record_text_new_place_seq RENAME TO record_text_place_seq",
    "ALTER TABLE record_text ADD FOREIGN KEY (record_id) REFERENCES record",
)


def upgrade() -> None:
    for statement in (*BESIDE, *LOCKED):
        op.execute(statement)
