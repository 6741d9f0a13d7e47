"""HTTP of the retention schedule: `/v1/retention-rules`."""

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import responses

from sebalai_archive.codes import Code, after_code
from sebalai_archive.provenance import ProvenanceRead
from sebalai_archive.retention import actions
from sebalai_archive.retention.actions import RetentionRuleUnknown
from sebalai_archive.retention.model import RetentionRule
from sebalai_archive.retention.schema import RetentionRuleRead

router = APIRouter(prefix="/v1/retention-rules", tags=["retention"])


def _read(row: RetentionRule) -> RetentionRuleRead:
    return RetentionRuleRead(
        classification=row.classification_code,
        series=row.series,
        active_years=row.active_years,
        inactive_years=row.inactive_years,
        final_disposition=row.final_disposition,
        security_class=row.security_class,
        exception=row.exception,
        provenance=ProvenanceRead.of(row),
    )


@router.get("", responses=responses(BadCursor))
async def list_rules(
    caller: PublicAccess, session: Transaction, cursor: CursorText = None, limit: Limit = 20
) -> Page[RetentionRuleRead]:
    after = after_code(decode_cursor(cursor, 1))
    rows = await actions.list_rules(session, caller=caller, after=after, limit=limit)
    return page(rows, limit, _read, lambda row: [row.classification_code])


@router.get("/{code}", responses=responses(RetentionRuleUnknown))
async def read_rule(code: Code, caller: PublicAccess, session: Transaction) -> RetentionRuleRead:
    """The rule that governs this code; it may stand at a code above it."""
    return _read(await actions.find_rule(session, caller=caller, code=code))
