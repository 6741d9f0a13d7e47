import base64
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sebalai_local import secrets
from sebalai_local.failures import Failure
from sebalai_local.home import Home


def test_secrets_are_private_and_never_replaced(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    secrets.ensure(home)
    before = {path: path.read_bytes() for path in home.secrets.iterdir()}
    secrets.ensure(home)
    assert {path: path.read_bytes() for path in home.secrets.iterdir()} == before
    assert len(before) == 21
    public = {"caller-keys.json", "routes-keys.json", "nats-issuer"}
    for path in before:
        expected = 0o644 if path.name in public else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path.name
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700


def test_ledger_key_and_its_verifier_key_belong_together(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    secrets.ensure(home)
    signer = secrets.read(home.secrets / "ledger-key").split("+", 4)
    name, key_hash, encoded = secrets.read(home.root / "ledger.vkey").split("+", 2)
    assert signer[:4] == ["PRIVATE", "KEY", name, key_hash]
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(signer[4])[1:])
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    public.verify(private.sign(b"checkpoint"), b"checkpoint")


def test_a_renamed_ledger_has_a_new_key_and_keeps_the_old_one_for_its_receipts(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    secrets.ensure(home)
    old, pinned = secrets.read(home.secrets / "ledger-key"), secrets.read(home.root / "ledger.vkey")
    secrets.rename_ledger(home, "bus.example/ledger-2")
    new = secrets.read(home.secrets / "ledger-key")
    kept = home.secrets / f"ledger-key.{old.split('+')[3]}"
    assert new.split("+")[2] == "bus.example/ledger-2"
    assert secrets.read(kept) == old
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    lines = secrets.read(home.root / "ledger.vkey").splitlines()
    assert lines == [secrets.ledger_verifier_key(new), pinned]
    for name in ("bus.example/ledger-2", "", "a+b", "a b"):
        with pytest.raises(Failure, match="no new name"):
            secrets.rename_ledger(home, name)
    secrets.ensure(home)
    assert secrets.read(home.secrets / "ledger-key") == new


def test_verifier_key_of_the_published_example():
    """The pair printed in golang.org/x/mod/sumdb/note."""
    signer = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    expected = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert secrets.ledger_verifier_key(signer) == expected


def test_public_application_key_holds_no_private_part(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    private, public = secrets.ensure_application_key(home, "dinkes", "puskesmas")
    assert "d" in json.loads(private.read_text())
    assert "d" not in json.loads(public.read_text())
