"""Every setting, from the environment, in one place. Secrets have no default that works against a real vendor."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once for each process (:func:`settings`). Names are the environment variables in capitals."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", env_ignore_empty=True)

    # the house
    showrate_home: Path = Path(".showrate")
    showrate_playbooks: Path = Path(__file__).parent.parent / "workflows" / "playbooks"
    showrate_record_url: str = ""
    showrate_public_url: str = "http://127.0.0.1:8080"
    showrate_host: str = "127.0.0.1"
    showrate_port: int = 8080
    showrate_worker_port: int = 9464
    """/healthz and /metrics of the worker."""
    showrate_token: str = ""
    """Opens the console, the lead API and the codec endpoint."""
    showrate_temporal_ui: str = "http://127.0.0.1:8233"
    """Temporal's own UI: a lead's page links to it, and it may ask the codec endpoint."""
    showrate_sources: dict[str, str] = Field(default_factory=dict)
    """Form source -> its key, as JSON: {"website": "pk-..."}."""
    showrate_audiences: dict[str, str] = Field(default_factory=dict)
    """Form source -> audience, as JSON; ``inbound`` for any other."""
    showrate_room_url: str = ""
    """Where somebody who joins a meeting is sent, with {rep} and {booking} filled in; empty: our own waiting room."""
    showrate_region: str = "US"
    """The country in which numbers without + are read."""
    showrate_identity_key: str = ""
    showrate_encryption_keys: str = ""
    """``ID:BASE64,ID:BASE64``: the first encrypts, all decrypt; 32 bytes each."""
    showrate_link_key: str = ""
    showrate_build: str = ""
    """The worker's build id for Temporal's worker versioning; empty: unversioned."""
    showrate_dial_rate: float = 1.0
    """Dials a second that the carrier takes (Twilio: 1 by default)."""
    showrate_timeout: float = 10.0
    """Seconds that one request to a vendor may take."""

    # Twilio
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_webhook_keys: dict[str, str] = Field(default_factory=dict)
    """Key id -> secret of Twilio's SharedKeys, as JSON, where webhooks are signed with one instead of the token."""
    twilio_number: str = ""
    twilio_base_url: str = ""
    """Empty: Twilio itself."""
    twilio_recording: bool = False

    # Google Calendar
    google_base_url: str = ""
    google_credentials: str = ""
    """Path of a service account's JSON key; empty: no authentication (only with a base URL)."""
    google_subject: str = ""
    """The user for whom the service account acts (domain-wide delegation); without one it cannot invite guests."""

    # HubSpot
    hubspot_access_token: str = ""
    hubspot_base_url: str = ""

    # Slack
    slack_bot_token: str = ""
    slack_channel: str = ""
    slack_base_url: str = ""

    # the language model
    openai_api_key: str = ""
    openai_base_url: str = ""
    openai_model: str = "gpt-4.1-mini"

    @field_validator("showrate_public_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def record_url(self) -> str:
        """The SQLAlchemy URL of the record."""
        return self.showrate_record_url or f"sqlite:///{self.showrate_home / 'record.db'}"

    @property
    def identity_key(self) -> bytes:
        """Raises ValueError when unset: no id can be made without it."""
        if len(self.showrate_identity_key) < 32:
            raise ValueError(
                "SHOWRATE_IDENTITY_KEY is missing or short; `showrate setup --new-keys` prints one"
            )
        return self.showrate_identity_key.encode()

    @property
    def encryption_keys(self) -> dict[str, bytes]:
        """Key id -> 32 bytes, the encrypting one first. Raises ValueError naming what is wrong."""
        keys: dict[str, bytes] = {}
        for pair in filter(None, self.showrate_encryption_keys.split(",")):
            key_id, _, secret = pair.strip().partition(":")
            keys[key_id] = base64.b64decode(secret)
            if len(keys[key_id]) != 32:
                raise ValueError(f"SHOWRATE_ENCRYPTION_KEYS: key {key_id} is not 32 bytes in base64")
        if not keys:
            raise ValueError("SHOWRATE_ENCRYPTION_KEYS is missing; `showrate setup --new-keys` prints one")
        return keys


@cache
def settings() -> Settings:
    """The process's settings."""
    return Settings()
