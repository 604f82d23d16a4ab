"""Where outgoing webhooks go, as ``SHOWRATE_WEBHOOKS`` says, and the secrets that they are signed with."""

from __future__ import annotations

import base64
import binascii
import secrets
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret (Standard Webhooks, "Signature scheme")."""


class Endpoint(BaseModel):
    """One receiver. ``secrets``: the newest first; while there are two, both sign, so that the receiver can go over from
    one to the other. ``events``: which types, ``*`` stands for anything. ``detail``: ``ids`` sends nothing personal,
    ``full`` who it is and what was said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    secrets: tuple[str, ...] = Field(min_length=1, repr=False)
    detail: Literal["ids", "full"] = "ids"
    events: tuple[str, ...] = ("*",)

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("write the url as https://host/path")
        if parts.username or parts.password:
            raise ValueError("the url must hold no user and no password; what is sent is signed")
        return url

    @field_validator("secrets")
    @classmethod
    def _are_secrets(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for secret in given:
            key_of(secret)
        return given

    def wants(self, kind: str) -> bool:
        """Whether an event of the type ``kind`` goes there."""
        return any(fnmatchcase(kind, pattern) for pattern in self.events)


def key_of(secret: str) -> bytes:
    """The bytes that ``whsec_...`` stands for. Raises ValueError without quoting it."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"a secret is {_PREFIX} and 24 to 64 bytes in base64; `showrate events secret` makes one")
    return key


def new_secret() -> str:
    """A fresh secret."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
