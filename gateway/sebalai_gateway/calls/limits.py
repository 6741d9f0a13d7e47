"""The agreement's limits as answer headers (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

from datetime import datetime

from sebalai_gateway.routing.snapshot import Agreement

DAY_SECONDS = 86_400


def rate_limits(agreement: Agreement, left: int, now: datetime) -> list[tuple[bytes, bytes]]:
    """`left` calls of the day, which ends at midnight UTC; the rate is told as burst a window."""
    rate = agreement.rate_per_second
    window = max(1, round(agreement.burst / rate)) if rate > 0 else DAY_SECONDS
    policy = f'"rate";q={agreement.burst};w={window}, "day";q={agreement.quota_per_day};w=86400'
    ends = DAY_SECONDS - int(now.timestamp()) % DAY_SECONDS
    return [
        (b"ratelimit-policy", policy.encode()),
        (b"ratelimit", f'"day";r={left};t={ends}'.encode()),
    ]
