"""Secrets of one platform: made at its first start, 0600, never printed, never committed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, KeySet
from sebalai_shared.nkeys import AccountKey

from sebalai_local.engines.databases import NAMES
from sebalai_local.failures import Failure
from sebalai_local.home import Home

PASSWORD_BYTES = 24
SEALING_KEY_BYTES = 32
LEDGER_ORIGIN = "127.0.0.1/ledger"  # the host of PUBLIC_URL; without the port, which may change
ED25519 = b"\x01"  # C2SP signed-note, algorithm byte


def password_file(home: Home, name: str) -> Path:
    return home.secrets / f"database-{name}"


def nats_file(home: Home, name: str) -> Path:
    return home.secrets / f"nats-{name}"


def issuer_key_file(home: Home) -> Path:
    """The seed that admits direct subscribers to the broker; its public half is `nats-issuer`."""
    return home.secrets / "nats-issuer-key"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def ensure(home: Home) -> None:
    """Makes what is missing; an existing secret is never replaced."""
    for name in ("postgres", *NAMES):
        _once(password_file(home, name), lambda: secrets.token_urlsafe(PASSWORD_BYTES))
    for name in NAMES:
        _once(nats_file(home, name), lambda: secrets.token_urlsafe(PASSWORD_BYTES))
    _once(home.secrets / "identity-sealing-key", _sealing_key)
    _once(home.secrets / "proxy-secret", lambda: secrets.token_urlsafe(PASSWORD_BYTES))
    _once(home.secrets / "archive-content-keys.json", _content_keys)
    for name in ("caller", "routes"):
        ensure_key(home.secrets / f"{name}-key.jwk", home.secrets / f"{name}-keys.json")
    _once(home.secrets / "ledger-key", _ledger_key)
    _once(issuer_key_file(home), lambda: AccountKey(secrets.token_bytes(32)).seed)
    issuer = home.secrets / "nats-issuer"
    if not issuer.exists():
        key = AccountKey.from_seed(read(issuer_key_file(home)))
        _write(issuer, key.public, mode=0o644)
    verifier_key = home.root / "ledger.vkey"
    if not verifier_key.exists():
        _write(verifier_key, ledger_verifier_key(read(home.secrets / "ledger-key")), mode=0o644)


def ensure_key(private: Path, public: Path) -> None:
    """An ES256 key as private JWK, and its public half as JWKS beside it."""
    _once(private, lambda: json.dumps(_new_key().as_dict(private=True)))
    if not public.exists():
        key = ECKey.import_key(json.loads(read(private)))
        _write(public, json.dumps(KeySet([key]).as_dict(private=False)), mode=0o644)


def ensure_application_key(home: Home, agency: str, application: str) -> tuple[Path, Path]:
    """The application's private JWK, and its public JWK to register."""
    private = home.keys / f"{agency}.{application}.jwk"
    public = home.keys / f"{agency}.{application}.public.jwk"
    _once(private, lambda: json.dumps(_new_key().as_dict(private=True)))
    if not public.exists():
        key = ECKey.import_key(json.loads(read(private)))
        _write(public, json.dumps(key.as_dict(private=False)), mode=0o644)
    return private, public


def ensure_person_password(home: Home, login: str) -> Path:
    """The file with the password of an invented person."""
    path = home.secrets / f"person-{login}"
    _once(path, lambda: secrets.token_urlsafe(PASSWORD_BYTES))
    return path


def _new_key() -> ECKey:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    key.ensure_kid()
    return key


def _sealing_key() -> str:
    raw = secrets.token_bytes(SEALING_KEY_BYTES)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _content_keys() -> str:
    """One key for each class the archive seals, in the form it reads."""
    classes = ("terbatas", "rahasia", "sangat_rahasia")
    raw = {name: base64.b64encode(secrets.token_bytes(SEALING_KEY_BYTES)) for name in classes}
    return json.dumps({name: [{"id": "first", "key": key.decode()}] for name, key in raw.items()})


def _key_hash(name: str, public: bytes) -> str:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4].hex()


def _public_half(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _ledger_key(name: str = LEDGER_ORIGIN) -> str:
    seed = secrets.token_bytes(32)
    encoded = base64.b64encode(ED25519 + seed).decode()
    return f"PRIVATE+KEY+{name}+{_key_hash(name, _public_half(seed))}+{encoded}"


def rename_ledger(home: Home, name: str) -> None:
    """A new key of the name `name` (C2SP: no space, no plus). The old one stays as
    `ledger-key.<its id>`, and its public line in `ledger.vkey` behind the new one, because receipts
    were given under it. Raises: Failure.
    """
    present, pinned = home.secrets / "ledger-key", home.root / "ledger.vkey"
    _, _, old_name, old_id, _ = read(present).split("+", 4)
    if not name or set(name) & set("+ \t\n") or name == old_name:
        raise Failure(f"{name!r} is no new name for a ledger.", "Like bus.example.go.id/ledger-2.")
    key, lines = _ledger_key(name), read(pinned)
    _write(home.secrets / f"ledger-key.{old_id}", read(present), mode=0o600)
    _write(pinned, f"{ledger_verifier_key(key)}\n{lines}", mode=0o644)
    _write(present, key, mode=0o600)


def ledger_verifier_key(signer: str) -> str:
    """The public `name+hash+key` of a `PRIVATE+KEY+name+hash+key` signer."""
    _, _, name, key_hash, encoded = signer.split("+", 4)
    public = _public_half(base64.b64decode(encoded)[1:])
    return f"{name}+{key_hash}+{base64.b64encode(ED25519 + public).decode()}"


def _once(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        _write(path, make(), mode=0o600)


def _write(path: Path, text: str, *, mode: int) -> None:
    """Whole or not at all, with its mode from the first byte."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    unfinished.rename(path)
