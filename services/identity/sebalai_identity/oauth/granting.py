"""Every grant the token endpoint serves, under its name."""

from sebalai_identity.oauth.device import by_device
from sebalai_identity.oauth.exchange import by_exchange
from sebalai_identity.oauth.grants import Grant, by_client, by_code, by_refresh
from sebalai_identity.oauth.policy import CLIENT, CODE, DEVICE, EXCHANGE, REFRESH

GRANTS: dict[str, Grant] = {
    CODE: by_code,
    REFRESH: by_refresh,
    CLIENT: by_client,
    DEVICE: by_device,
    EXCHANGE: by_exchange,
}
