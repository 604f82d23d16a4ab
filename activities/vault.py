"""Sealing what is personal: each lead has a data key of its own, and the installation's keys wrap it.

Forgetting a lead's key makes all that was sealed under it unreadable, wherever copies may lie. A new
encryption key wraps from then on, and the old ones still unwrap.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_SERIAL = 8


class Unreadable(ValueError):
    """Sealed under a key that this process does not have, or altered; the message says which."""


@dataclass(frozen=True)
class WrappedKey:
    """A lead's data key as it is stored. ``serial`` tells this key from a later one of the same lead."""

    serial: bytes
    key_id: str
    wrapped: bytes


class DataKey:
    """One lead's key, unwrapped. Seals JSON values (compressed, AES-GCM bound to the lead and the key's
    serial)."""

    def __init__(self, lead: str, serial: bytes, key: bytes) -> None:
        self.serial = serial
        self._cipher = AESGCM(key)
        self._digests = hashlib.sha256(b"digest" + key).digest()
        self._bound = lead.encode() + serial

    def seal(self, value: Any) -> bytes:
        """``value`` (plain JSON) sealed; equal values give different bytes."""
        nonce = os.urandom(_NONCE)
        clear = zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
        return self.serial + nonce + self._cipher.encrypt(nonce, clear, self._bound)

    def open(self, sealed: bytes | None) -> Any:
        """The value again; None when there is none, or when it was sealed under a key since forgotten. Raises
        Unreadable when it was altered."""
        if not sealed or sealed[:_SERIAL] != self.serial:
            return None
        nonce, body = sealed[_SERIAL : _SERIAL + _NONCE], sealed[_SERIAL + _NONCE :]
        try:
            return json.loads(zlib.decompress(self._cipher.decrypt(nonce, body, self._bound)))
        except InvalidTag:
            raise Unreadable("a sealed value of the record was altered") from None

    def digest(self, text: str) -> str:
        """A keyed digest: recognises the same text of the same lead and tells nobody else anything."""
        return hmac.new(self._digests, text.encode(), hashlib.sha256).hexdigest()[:24]


class Vault:
    """Wraps and unwraps the leads' keys under the installation's encryption keys (id -> 32 bytes, the
    wrapping one first)."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.newest = next(iter(keys))

    def new_key(self, lead: str) -> WrappedKey:
        """A fresh data key for ``lead``."""
        return self._wrap(lead, os.urandom(_SERIAL), os.urandom(32))

    def open_key(self, lead: str, wrapped: WrappedKey) -> DataKey:
        """The usable key. Raises Unreadable when the encryption key is missing or wrong."""
        return DataKey(lead, wrapped.serial, self._unwrap(lead, wrapped))

    def rewrap(self, lead: str, wrapped: WrappedKey) -> WrappedKey:
        """The same key under the newest encryption key."""
        return self._wrap(lead, wrapped.serial, self._unwrap(lead, wrapped))

    def _wrap(self, lead: str, serial: bytes, key: bytes) -> WrappedKey:
        nonce = os.urandom(_NONCE)
        wrapped = nonce + self._ciphers[self.newest].encrypt(nonce, key, lead.encode() + serial)
        return WrappedKey(serial=serial, key_id=self.newest, wrapped=wrapped)

    def _unwrap(self, lead: str, wrapped: WrappedKey) -> bytes:
        cipher = self._ciphers.get(wrapped.key_id)
        if cipher is None:
            raise Unreadable(
                f"the record needs the encryption key {wrapped.key_id!r}; "
                "add it behind the newest in SHOWRATE_ENCRYPTION_KEYS"
            )
        nonce, body = wrapped.wrapped[:_NONCE], wrapped.wrapped[_NONCE:]
        try:
            return cipher.decrypt(nonce, body, lead.encode() + wrapped.serial)
        except InvalidTag:
            raise Unreadable(
                f"the encryption key {wrapped.key_id!r} is not the one that the record was written under"
            ) from None
