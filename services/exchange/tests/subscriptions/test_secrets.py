"""Signatures as Standard Webhooks 1.0.0 publishes them, and secrets that follow from one root."""

import base64
from uuid import UUID

import pytest
from sebalai_exchange.subscriptions.secrets import WebhookSecrets, signature, spelled

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_the_published_vector_is_signed_as_published():
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_subscription_and_generation_has_a_secret_of_its_own(tmp_path):
    root = tmp_path / "key"
    root.write_bytes(b"any private key file")
    secrets = WebhookSecrets.from_file(root)
    found = {secrets.secret(ident, number) for ident in (ONE, OTHER) for number in (1, 2)}
    assert len(found) == 4
    assert secrets.secret(ONE, 1) == WebhookSecrets.from_file(root).secret(ONE, 1)
    assert spelled(secrets.secret(ONE, 1)).startswith("whsec_")


def test_a_short_root_is_no_key():
    with pytest.raises(ValueError, match="32"):
        WebhookSecrets(b"short")
