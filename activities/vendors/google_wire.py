"""Google's own SDK on our transport, one service for the process, and what each answer of Google's means.

The SDK's usual transport sends a request twice when the server drops the connection, also a POST; ours is on httpx
and sends it once.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import google.auth.transport
import httplib2
import httpx
from google.auth import exceptions as auth_exceptions
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from activities import faults
from activities.settings import settings
from activities.vendors import rest, status

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL at INFO, and ours name people's calendars

_SCOPES = ("https://www.googleapis.com/auth/calendar.events", "https://www.googleapis.com/auth/calendar.freebusy")
_LIMITED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})


class Duplicate(Exception):
    """The id exists on this calendar."""


class Gone(Exception):
    """404 or 410: there is no such event or channel, or no longer; or the sync token is too old."""


def execute(request: Any) -> Any:
    """Send one of the SDK's requests, once. Raises Duplicate, Gone, ``retry``, ``retry_after`` and ``permanent``."""
    try:
        answer = request.execute(num_retries=0)
    except HttpError as error:
        code = int(error.resp.status)
        reason = _reason(error)
        if code == 409 and reason == "duplicate":
            raise Duplicate from error
        if code == 410 or (code == 404 and re.search(r"/events/|/channels/stop", str(request.uri))):
            raise Gone from error
        if code == 403 and reason in _LIMITED:
            code = 429
        raise status.fault("Google", code, reason, error.resp.get("retry-after")) from None
    except httpx.RequestError as error:
        raise faults.retry(f"Google could not be reached: {type(error).__name__}") from None
    except auth_exceptions.TransportError as error:
        raise faults.retry(f"Google's token endpoint could not be reached: {type(error).__name__}") from None
    except auth_exceptions.GoogleAuthError as error:
        raise faults.permanent(f"Google refuses our credentials: {type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise faults.retry("Google's answer could not be read") from None
    if isinstance(answer, str) and answer:  # the SDK hands on what is no JSON; only a deletion answers with nothing
        raise faults.retry("Google's answer could not be read")
    return answer


def _reason(error: HttpError) -> str:
    """Google's short code for what was wrong (``duplicate``, ``notFound``): never its text."""
    try:
        return str(json.loads(error.content)["error"]["errors"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return ""


# ---- the SDK on httpx -------------------------------------------------------------------------------------------


class _Transport:
    """What the SDK asks of its ``http``: one ``request``, safe for threads, that sends what it is told once."""

    def __init__(self, client: httpx.Client, credentials: Any) -> None:
        self._client = client
        self._credentials = credentials

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 0,
        connection_type: object = None,
    ) -> tuple[httplib2.Response, bytes]:
        sent = dict(headers or {})
        if self._credentials is not None:
            self._credentials.before_request(_token_request(self._client), method, uri, sent)
        answer = self._client.request(method, uri, content=body, headers=sent)
        if answer.status_code == 401 and self._credentials is not None:
            # A 401 was not carried out: with a fresh token the same request may go again.
            self._credentials.refresh(_token_request(self._client))
            self._credentials.apply(sent)
            answer = self._client.request(method, uri, content=body, headers=sent)
        seen = {key.lower(): value for key, value in answer.headers.items()}
        seen.pop("content-encoding", None)
        return httplib2.Response({**seen, "status": str(answer.status_code)}), answer.content


class _Token(google.auth.transport.Response):
    """A token endpoint's answer in google-auth's words."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content


def _token_request(client: httpx.Client) -> Callable[..., _Token]:
    def call(
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **rest: object,
    ) -> _Token:
        try:
            return _Token(client.request(method, url, content=body, headers=dict(headers or {})))
        except httpx.TransportError as error:
            raise auth_exceptions.TransportError(type(error).__name__) from error  # type: ignore[no-untyped-call]

    return call


def service() -> Any:
    s = settings()
    return _built(s.google_base_url, s.google_credentials, s.google_subject, s.showrate_timeout)


@cache
def _built(base_url: str, credentials_path: str, subject: str, timeout: float) -> Any:
    credentials = None
    if credentials_path:
        account: Any = service_account.Credentials
        try:
            credentials = account.from_service_account_file(credentials_path, scopes=_SCOPES)
        except (OSError, ValueError) as error:
            raise faults.permanent(
                f"GOOGLE_CREDENTIALS cannot be read ({type(error).__name__}); set the path of a service account's JSON key"
            ) from None
        if subject:
            credentials = credentials.with_subject(subject)
    transport = _Transport(httpx.Client(timeout=timeout, verify=rest.tls()), credentials)
    options = {"api_endpoint": base_url} if base_url else {}
    return discovery.build(
        "calendar", "v3", http=transport, client_options=options, static_discovery=True, cache_discovery=False
    )
