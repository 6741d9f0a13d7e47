"""HTTP of direct subscriptions: their credential, and all a NATS client must be told."""

from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_exchange.direct import access
from sebalai_exchange.inputs import INPUT
from sebalai_exchange.subscriptions.actions import (
    NotTheSubscriber,
    SubscriptionState,
    SubscriptionUnknown,
    issue_credential,
)

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"], responses=INPUT)


class CredentialRead(BaseModel):
    """`password` is told once. Connect to `servers` as `user` with `inbox_prefix`, and fetch from
    `consumer` of `stream` in the JetStream `domain`.
    """

    servers: str
    user: str
    password: str
    inbox_prefix: str
    domain: str
    stream: str
    consumer: str


@router.post(
    "/{ident}/credential",
    responses=responses(SubscriptionUnknown, NotTheSubscriber, SubscriptionState),
)
async def renew_credential(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction
) -> CredentialRead:
    """A new credential; the one before opens nothing any more, and what it opened is closed."""
    clock: Clock = request.app.state.clock
    user, password = await issue_credential(session, clock, caller=caller, ident=ident)
    return CredentialRead(
        servers=request.app.state.nats_servers,
        user=user,
        password=password,
        inbox_prefix=access.inbox_of(ident),
        domain=access.DOMAIN,
        stream=access.STREAM,
        consumer=access.consumer_of(ident),
    )
