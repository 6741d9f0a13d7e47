"""What each kind of client may do (field notes 4.3); pure tables, no storage.

Refresh tokens of public clients rotate; those of confidential ones with a key do not, as the FAPI
2.0 Security Profile (section 5.3.2.1) asks: there the key, not the rotation, protects them.
"""

from dataclasses import dataclass
from datetime import timedelta

from sebalai_identity.applications.actions import ALL_SCOPES

CODE = "authorization_code"
REFRESH = "refresh_token"
CLIENT = "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = (CODE, REFRESH, CLIENT, DEVICE, EXCHANGE)

# What a person may give an application. All other scopes are powers of the application itself and
# never come into a person's token by consent.
PERSON_SCOPES = frozenset({"openid", "profile", "email", "phone", "address", "offline_access"})
SCOPES = ALL_SCOPES


@dataclass(frozen=True)
class Policy:
    """`asks_consent`: a person agrees first; `rotates`: each refresh token is good once."""

    grants: frozenset[str]
    asks_consent: bool = True
    rotates: bool = True
    is_par_required: bool = False
    is_dpop_on_refresh: bool = False
    idle: timedelta = timedelta(days=7)
    absolute: timedelta = timedelta(days=30)


_WEB = frozenset({CODE, REFRESH})
POLICIES = {
    "agency_system": Policy(frozenset({CLIENT, EXCHANGE})),
    "agency_web": Policy(_WEB | {CLIENT, EXCHANGE}),
    "portal": Policy(
        _WEB | {CLIENT, EXCHANGE},
        asks_consent=False,
        rotates=False,
        is_par_required=True,
        idle=timedelta(hours=8),
    ),
    "public": Policy(_WEB | {DEVICE}),
    "kiosk": Policy(
        frozenset({DEVICE, REFRESH}), idle=timedelta(hours=12), absolute=timedelta(hours=12)
    ),
    "external": Policy(_WEB),
}
