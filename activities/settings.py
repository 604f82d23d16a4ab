"""Every setting, from the environment, in one place. Secrets have no default that works against a real vendor."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.endpoints import Endpoint


class Settings(BaseSettings):
    """Read once for each process (:func:`settings`). Names are the environment variables in capitals."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", env_ignore_empty=True)

    # the house
    showrate_home: Path = Path(".showrate")
    """The folder of the record and of the demo's data."""
    showrate_playbooks: Path = Path(__file__).parent.parent / "workflows" / "playbooks"
    """The folder of playbooks (``*.yml``) and teams (``*.team.yml``)."""
    showrate_record_url: str = ""
    """The record's database as a SQLAlchemy URL, such as postgresql+psycopg://...; empty: SQLite in the home."""
    showrate_public_url: str = "http://127.0.0.1:8080"
    """Where vendors and leads reach the web process; Twilio needs https."""
    showrate_host: str = "127.0.0.1"
    """The address that the web process and the worker listen on."""
    showrate_port: int = 8080
    """The web process's port."""
    showrate_worker_port: int = 9464
    """/healthz and /metrics of the worker."""
    showrate_token: str = ""
    """Opens the console, the lead API and the codec endpoint."""
    showrate_temporal_ui: str = "http://127.0.0.1:8233"
    """Temporal's own UI: a lead's page links to it, and it may ask the codec endpoint."""
    showrate_sources: dict[str, str] = Field(default_factory=dict)
    """Form source -> its key, as JSON: {"website": "pk-..."}."""
    showrate_audiences: dict[str, str] = Field(default_factory=dict)
    """Form source -> audience, as JSON; ``inbound`` for any other. A post may name one of these as ``audience`` itself."""
    showrate_room_url: str = ""
    """Where somebody who joins a meeting is sent, with {rep} and {booking} filled in; empty: our own waiting room."""
    showrate_region: str = "US"
    """The country in which numbers without + are read."""
    showrate_identity_key: str = ""
    """The key under the ids, at least 32 characters. It never rotates: under another everybody is a stranger."""
    showrate_encryption_keys: str = ""
    """``ID:BASE64,ID:BASE64``: the first encrypts, all decrypt; 32 bytes each."""
    showrate_link_key: str = ""
    """Signs the join and manage links, at least 32 characters."""
    showrate_build: str = ""
    """The worker's build id for Temporal's worker versioning; empty: unversioned."""
    showrate_carrier: Literal["twilio", "retell"] = "twilio"
    """Who carries the calls that we make; texts go through Twilio."""
    showrate_cached_leads: int = Field(default=1000, ge=10)
    """Workflows that a worker keeps in memory (docs/performance.md says what each takes); one that is not kept is read
    and replayed when something happens to it."""
    showrate_dial_rate: float = 1.0
    """Dials a second that the carrier takes (Twilio: 1 by default); 0: as many as come."""
    showrate_timeout: float = 10.0
    """Seconds that one request to a vendor may take."""
    showrate_do_not_call: Path | None = None
    """The folder of do-not-call lists: `national/2027-03-01/*.txt` as downloaded, a state's own under its code (`US-IN`)."""
    showrate_lookups: Literal["", "twilio"] = ""
    """Who is asked what kind of line a number is and whether it went to somebody else, where a rule needs it; empty: nobody."""
    showrate_calendars_every: float = Field(default=300.0, ge=1.0)
    """Seconds between two readings of what changed in the reps' Google calendars; a push brings one forward."""

    # outgoing webhooks
    showrate_webhooks: dict[str, Endpoint] = Field(default_factory=dict)
    """Where every transition of a lead is told, as JSON: {"n8n": {"url": "https://...", "secrets": ["whsec_..."]}}; see
    docs/events.md."""
    showrate_webhooks_local: bool = False
    """Whether they may go to http and to private networks, such as an n8n on this machine."""
    showrate_webhooks_disable_after: float = Field(default=259_200.0, gt=0)
    """Seconds without any success after which an endpoint that fails is switched off."""

    # alerts in the reps' channel
    showrate_alert_failures: int = Field(default=5, ge=1)
    """So many failures of a vendor, not outnumbered by successes, within the window raise the alert."""
    showrate_alert_calls: int = Field(default=1, ge=1)
    """So many failed calls within the window raise the alert."""
    showrate_alert_window: float = Field(default=300.0, gt=0)
    """The window's length in seconds."""
    showrate_alert_quiet: float = Field(default=3600.0, ge=0)
    """Seconds in which one thing raises no second alert; while it lasts, it is told anew so often."""
    showrate_alert_workers: float = Field(default=90.0, gt=0)
    """Seconds without a worker that asks for work after which the web process raises the alert."""

    # Twilio
    twilio_account_sid: str = ""
    """AC..., from Twilio's console."""
    twilio_auth_token: str = ""
    """The account's token: calls the API, and checks that webhooks are Twilio's."""
    twilio_webhook_keys: dict[str, str] = Field(default_factory=dict)
    """Key id -> secret of Twilio's SharedKeys, as JSON, where webhooks are signed with one instead of the token."""
    twilio_number: str = ""
    """The number that calls and texts come from, in E.164."""
    twilio_base_url: str = ""
    """Empty: Twilio itself."""

    # Retell
    retell_api_key: str = ""
    """Calls the API, and checks that webhooks are Retell's (the key with the webhook badge)."""
    retell_agent_id: str = ""
    """The agent that our calls are made with; its language model is a custom one, at wss://.../retell/llm/SECRET."""
    retell_number: str = ""
    """The number that calls come from, in E.164, bought from or brought to Retell."""
    retell_socket_secret: str = ""
    """The part of the websocket's address that nobody else knows; Retell signs nothing there. Empty: no Retell."""
    retell_base_url: str = ""
    """Empty: Retell itself."""

    # e-mail
    smtp_host: str = ""
    """The mail server; empty: no e-mail is sent."""
    smtp_port: int = 587
    """Its port: 587 with STARTTLS, 465 with TLS from the start."""
    smtp_user: str = ""
    """Empty: no login."""
    smtp_password: str = ""
    """The login's password."""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured; `none` only for a server on this machine."""
    smtp_timeout: float = 8.0
    """Seconds that one exchange with the mail server may take."""
    mail_from: str = ""
    """The address that e-mails come from and invitations are organised by, such as demo@example.com."""
    mail_replies: str = ""
    """Where answers to our e-mails go, such as reply@in.example.com: the mail of its domain comes to /mail/inbound. Empty: answers are not read."""
    mail_inbound_secret: str = ""
    """The password of /mail/inbound, or the key that signs what is posted there; at least 16 characters. Empty: nothing is taken."""
    showrate_invitations: Literal["calendar", "mail"] = "calendar"
    """Who invites to a meeting: the calendar's own vendor where it can, else our e-mail; `mail`: our e-mail also where Google could."""

    # Google Calendar
    google_base_url: str = ""
    """Empty: Google itself."""
    google_credentials: str = ""
    """Path of a service account's JSON key; empty: no authentication (only with a base URL)."""
    google_subject: str = ""
    """The user for whom the service account acts (domain-wide delegation); without one it cannot invite guests."""

    # Cal.com
    calcom_api_key: str = ""
    """cal_...: for the reps whose calendar is written calcom:EVENT_TYPE_ID; empty: no Cal.com."""
    calcom_base_url: str = ""
    """Empty: Cal.com itself."""
    calcom_webhook_secret: str = ""
    """The secret of the webhook to .../calcom/webhook: checks that it is Cal.com's. Choose one; `showrate setup` adds the
    webhook with it."""

    # Calendly
    calendly_token: str = ""
    """A personal access token: for the reps whose calendar is written calendly:EVENT_TYPE_UUID; empty: no Calendly."""
    calendly_base_url: str = ""
    """Empty: Calendly itself."""
    calendly_webhook_key: str = ""
    """The signing key of the webhook to .../calendly/webhook: checks that it is Calendly's. Choose one; `showrate setup`
    subscribes with it."""

    # HubSpot
    hubspot_access_token: str = ""
    """A private app's token; empty: no CRM."""
    hubspot_base_url: str = ""
    """Empty: HubSpot itself."""
    hubspot_rate: int = Field(default=100, ge=10)
    """Requests in ten seconds that this process may send: 100 on Free and Starter, 190 on Professional and Enterprise, 250
    with the add-on, divided by the number of workers."""

    # Slack
    slack_bot_token: str = ""
    """xoxb-..., with chat:write, channels:history and groups:history; empty: no cards."""
    slack_channel: str = ""
    """The channel's id, such as C0123456789."""
    slack_signing_secret: str = ""
    """Checks that the buttons pressed, sent to .../slack/actions, are Slack's; empty: cards have no buttons."""
    slack_base_url: str = ""
    """Empty: Slack itself."""

    # the language model
    openai_api_key: str = ""
    """The language model's key."""
    openai_base_url: str = ""
    """Any endpoint that speaks OpenAI's chat completions; empty: OpenAI itself."""
    openai_model: str = "gpt-4.1-mini"
    """The model's name there."""

    @field_validator("showrate_public_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def record_url(self) -> str:
        """The SQLAlchemy URL of the record."""
        return self.showrate_record_url or f"sqlite:///{self.showrate_home / 'record.db'}"

    @property
    def calcom_webhook(self) -> str:
        """Where Cal.com tells us of changes."""
        return f"{self.showrate_public_url}/calcom/webhook"

    @property
    def calendly_webhook(self) -> str:
        """Where Calendly tells us of changes."""
        return f"{self.showrate_public_url}/calendly/webhook"

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
