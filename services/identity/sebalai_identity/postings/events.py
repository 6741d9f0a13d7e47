"""Facts about postings and delegations: ids, kinds, decree and period."""

POSTING_RECORDED = "identity.posting.recorded.v1"
POSTING_ENDED = "identity.posting.ended.v1"
DELEGATION_RECORDED = "identity.delegation.recorded.v1"
DELEGATION_ENDED = "identity.delegation.ended.v1"
