"""Reactions to what exchange tells of interfaces; only the fields we read are declared."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sebalai_shared.events import SUBJECT_PREFIX

PUBLISHED = "exchange.interface.published.v1"
RETIRED = "exchange.interface.retired.v1"
SUBJECTS = (SUBJECT_PREFIX + PUBLISHED, SUBJECT_PREFIX + RETIRED)

TEXT_LENGTH_MAX = 300


class InterfaceChanged(BaseModel):
    """`interface` is the r1 identifier."""

    interface_id: UUID
    interface: Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]
    agency: Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]
    contract_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
