"""Importing this makes all checks known, in the order they run."""

from oidc_checks import (
    basic,
    basic_objects,
    config,
    dynamic,
    fapi_clients,
    fapi_flow,
    fapi_proofs,
    fapi_requests,
    logout,
    registration,
)

ALL = (
    basic, basic_objects, config, dynamic, registration, logout, fapi_flow, fapi_requests,
    fapi_clients, fapi_proofs,
)  # fmt: skip
