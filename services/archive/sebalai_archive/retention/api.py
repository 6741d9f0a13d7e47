"""HTTP of the retention schedule: `/v1/retention-rules`."""

from datetime import date

from fastapi import APIRouter, Request
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.codes import Code, after_code
from sebalai_archive.provenance import ProvenanceRead
from sebalai_archive.retention import actions
from sebalai_archive.retention.actions import RetentionRuleUnknown, ScheduleClosed
from sebalai_archive.retention.model import RetentionRule
from sebalai_archive.retention.schema import RetentionRuleAdd, RetentionRuleRead

router = APIRouter(prefix="/v1/retention-rules", tags=["retention"])


def _read(row: RetentionRule) -> RetentionRuleRead:
    return RetentionRuleRead(
        classification=row.classification_code,
        version=row.version,
        valid_from=row.valid_from,
        trigger=row.trigger_kind,
        offset_months=row.offset_months,
        legal_basis=row.legal_basis,
        series=row.series,
        active_years=row.active_years,
        inactive_years=row.inactive_years,
        final_disposition=row.final_disposition,
        security_class=row.security_class,
        exception=row.exception,
        provenance=ProvenanceRead.of(row),
    )


def _today(request: Request) -> date:
    return actions.civil_date(request.app.state.clock.now())


@router.get("", responses=responses(BadCursor))
async def list_rules(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[RetentionRuleRead]:
    after, today = after_code(decode_cursor(cursor, 1)), _today(request)
    rows = await actions.list_rules(session, caller=caller, today=today, after=after, limit=limit)
    return page(rows, limit, _read, lambda row: [row.classification_code])


@router.get("/{code}", responses=responses(RetentionRuleUnknown))
async def read_rule(
    request: Request, code: Code, caller: PublicAccess, session: Transaction
) -> RetentionRuleRead:
    """The rule that governs this code today; it may stand at a code above it."""
    today = _today(request)
    return _read(await actions.find_rule(session, caller=caller, code=code, today=today))


@router.get("/{code}/versions")
async def list_versions(
    code: Code, caller: PublicAccess, session: Transaction
) -> list[RetentionRuleRead]:
    """Every version of the code's own rule, the oldest first."""
    return [_read(row) for row in await actions.list_versions(session, caller=caller, code=code)]


@router.post(
    "/{code}/versions",
    status_code=201,
    responses=responses(ScheduleClosed, FieldInvalid, KeyReused),
)
async def add_version(
    request: Request,
    code: Code,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: RetentionRuleAdd,
) -> RetentionRuleRead:
    async def make() -> RetentionRuleRead:
        clock = request.app.state.clock
        return _read(
            await actions.add_version(session, clock, caller=caller, code=code, wanted=wanted)
        )

    return await once.answer(session, RetentionRuleRead, make)
