"""What each kind of client may do (field notes 4.3); pure tables, no storage.

Refresh tokens of public clients rotate; those of confidential ones with a key do not, as the FAPI
2.0 Security Profile (section 5.3.2.1) asks: there the key, not the rotation, protects them.
"""

from dataclasses import dataclass
from datetime import timedelta

from sebalai_identity.applications.actions import ALL_SCOPES, KnownClient
from sebalai_identity.roles.actions import ROLE_SCOPES

CODE = "authorization_code"
REFRESH = "refresh_token"
CLIENT = "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = (CODE, REFRESH, CLIENT, DEVICE, EXCHANGE)

# What a person may give an application of themself. All other scopes are powers: of the application
# itself, or of persons by roles granted to them (ROLE_SCOPES); no consent makes them.
BUSINESS = "business"
"""Lets the person act for a business they represent, which they choose at each sign-in."""
PERSON_SCOPES = frozenset(
    {"openid", "profile", "email", "phone", "address", "offline_access", BUSINESS}
)
SCOPES = ALL_SCOPES


@dataclass(frozen=True)
class Policy:
    """`asks_consent`: a person agrees first; `rotates`: each refresh token is good once;
    `carries_roles`: its person's tokens may show what roles give them.
    """

    grants: frozenset[str]
    asks_consent: bool = True
    carries_roles: bool = False
    rotates: bool = True
    is_par_required: bool = False
    idle: timedelta = timedelta(days=7)
    absolute: timedelta = timedelta(days=30)


def grants_of(client: KnownClient) -> frozenset[str]:
    """Those of its kind, or of them the ones it registered (RFC 7591 section 2)."""
    of_kind, registered = POLICIES[client.settings.kind].grants, client.settings.grants
    return of_kind if registered is None else of_kind & frozenset(registered)


ROLES_LEVEL = 2
"""Officials sign in at acr 2 (field notes): by a password alone nobody acts by a role."""


def role_scopes(client: KnownClient) -> frozenset[str]:
    """Those that tokens of this client's persons may show. A pairwise client's never do: the end of
    a role names its person, whom such a token hides.
    """
    settings = client.settings
    if settings.is_pairwise or not POLICIES[settings.kind].carries_roles:
        return frozenset()
    return client.scopes & ROLE_SCOPES


_WEB = frozenset({CODE, REFRESH})
POLICIES = {
    "agency_system": Policy(frozenset({CLIENT, EXCHANGE})),
    "agency_web": Policy(_WEB | {CLIENT, EXCHANGE}, carries_roles=True),
    "portal": Policy(
        _WEB | {CLIENT, EXCHANGE},
        asks_consent=False,
        carries_roles=True,
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
