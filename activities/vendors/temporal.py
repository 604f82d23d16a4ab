"""The connection to Temporal, and the codec that every payload passes.

The address, namespace, TLS and API key come from Temporal's own environment configuration (``TEMPORAL_ADDRESS``,
``TEMPORAL_NAMESPACE``, ``TEMPORAL_API_KEY``, ``TEMPORAL_TLS_...``, or a profile in its TOML file), so Temporal
Cloud is a matter of settings.

An encrypted payload keeps nothing readable but its key's id::

    metadata  encoding = binary/encrypted, key = ID
    data      nonce (12 bytes) + AES-GCM(packing + inner payload), the key's id authenticated beside it
    packing   0 the inner payload's protobuf as it is, 1 the same through zlib (when that is shorter)
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import google.protobuf.json_format
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, Interceptor, WithStartWorkflowOperation
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

from activities.settings import Settings, settings
from activities.vendors import primer

ADDRESS = "localhost:7233"
"""Where a Temporal server is looked for when the environment names none."""

_ENCODING = b"binary/encrypted"
_NONCE = 12
_PLAIN = b"0"
"""The first byte of a body that is as it was; any other names the primer that it was compressed with."""


class UnreadablePayload(ValueError):
    """A payload that none of our keys opens; the message names the key that is missing or says it was altered."""


class Codec(PayloadCodec):
    """Compresses and encrypts payloads. The first key encrypts, every key decrypts; a payload that we did not
    encrypt passes through, so plain JSON sent by Temporal's command line and UI is read as it is."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """``keys`` maps a key's id to its 32 bytes, the encrypting one first; ids and order are the settings'."""
        self._key_id = next(iter(keys)).encode()
        self._ciphers = {key_id.encode(): AESGCM(key) for key_id, key in keys.items()}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.open(payload) for payload in payloads]

    def seal(self, payload: Payload) -> Payload:
        """The payload, encrypted under the first key; one that is encrypted already is left as it is."""
        if payload.metadata.get("encoding") == _ENCODING:
            return payload
        inner = payload.SerializeToString()
        body = min(_PLAIN + inner, primer.MARK + _packed(inner), key=len)
        nonce = os.urandom(_NONCE)
        data = nonce + self._ciphers[self._key_id].encrypt(nonce, body, self._key_id)
        return Payload(metadata={"encoding": _ENCODING, "key": self._key_id}, data=data)

    def open(self, payload: Payload) -> Payload:
        """The payload as it was before :meth:`seal`. Raises UnreadablePayload."""
        if payload.metadata.get("encoding") != _ENCODING:
            return payload
        key_id = payload.metadata.get("key", b"")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            name = key_id.decode(errors="replace")
            raise UnreadablePayload(
                f"encrypted under key {name!r}, which SHOWRATE_ENCRYPTION_KEYS does not hold"
            )
        try:
            body = cipher.decrypt(payload.data[:_NONCE], payload.data[_NONCE:], key_id)
        except InvalidTag:
            raise UnreadablePayload(
                f"does not open under key {key_id.decode()!r}: altered, or another key"
            ) from None
        return Payload.FromString(_unpacked(body[1:]) if body[:1] == primer.MARK else body[1:])


def _packed(inner: bytes) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, primer.WORDS)
    return press.compress(inner) + press.flush()


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompressobj(-15, primer.WORDS).decompress(packed)


def recode(codec: Codec, body: bytes, decrypt: bool) -> str:
    """One request of Temporal's codec-server protocol: ``body`` and the answer are ``{"payloads": [...]}`` in
    protobuf's JSON. Decrypts for people, or encrypts what they typed. Raises ValueError when ``body`` is not that,
    or when no key opens a payload."""
    try:
        asked = google.protobuf.json_format.Parse(body, Payloads())
    except google.protobuf.json_format.ParseError as error:
        raise ValueError(f"the body is no list of payloads: {error}") from error
    turned = [codec.open(payload) if decrypt else codec.seal(payload) for payload in asked.payloads]
    return google.protobuf.json_format.MessageToJson(Payloads(payloads=turned), indent=None)


def converter(keys: Mapping[str, bytes]) -> DataConverter:
    """Pydantic models through the codec; messages and stack traces of failures pass it too."""
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=Codec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def read(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """After an update with start, in any case: the SDK also leaves its failure in a future, and one that nobody reads
    is told on standard error when the process ends."""
    handle = asyncio.ensure_future(start.workflow_handle())
    handle.add_done_callback(lambda done: done.cancelled() or done.exception())


async def polled(client: Client, queue: str, kind: TaskQueueType.ValueType) -> datetime | None:
    """When a worker last asked for work of this kind (UTC); None when the server knows of none. A poll lasts up to a
    minute, so an idle worker's last one may be that old. Raises RPCError."""
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind),
        timeout=timedelta(seconds=5),
    )
    return max((poller.last_access_time.ToDatetime(UTC) for poller in described.pollers), default=None)


async def connect(
    *,
    using: Settings | None = None,
    interceptors: Iterable[Interceptor] = (),
    runtime: Runtime | None = None,
    identity: str | None = None,
) -> Client:
    """A client of the cluster that the environment names, with our codec.

    ``using`` gives the encryption keys (the process's settings by default). Raises ValueError when a key is missing
    or malformed, RuntimeError when no server answers."""
    found = ClientConfig.load_client_connect_config()
    found.setdefault("target_host", ADDRESS)
    found.setdefault("namespace", "default")
    return await Client.connect(
        **found,
        data_converter=converter((using or settings()).encryption_keys),
        interceptors=list(interceptors),
        runtime=runtime,
        identity=identity,
    )
