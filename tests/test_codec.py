"""What leaves the process for Temporal is unreadable without a key, and everything that we may meet is read."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError

from activities.vendors import temporal
from tests.fixtures.temporal import running_worker
from tests.toys import Fails, fail_with

OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}


def plain(data: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


@given(st.binary(max_size=4000), st.dictionaries(st.text(min_size=1, max_size=9), st.binary(max_size=30)))
def test_every_payload_comes_back(data: bytes, metadata: dict[str, bytes]) -> None:
    payload = Payload(metadata={**metadata, "encoding": b"json/plain"}, data=data)
    codec = temporal.Codec(NEW)
    sealed = codec.seal(payload)
    assert codec.open(sealed) == payload
    assert set(sealed.metadata) == {"encoding", "key"}


def test_nothing_is_readable_and_no_two_are_alike() -> None:
    codec = temporal.Codec(NEW)
    payload = plain(b'"+14155550123"')
    assert b"4155550123" not in codec.seal(payload).SerializeToString()
    assert codec.seal(payload) != codec.seal(payload)


def test_compresses_when_that_is_shorter() -> None:
    codec = temporal.Codec(NEW)
    assert len(codec.seal(plain(b"a" * 10_000)).data) < 200
    assert len(codec.seal(plain(b"ab")).data) < 2 + 60


def test_new_key_encrypts_and_the_old_still_reads() -> None:
    before = temporal.Codec(OLD).seal(plain(b"1"))
    after = temporal.Codec(NEW | OLD)
    assert after.open(before).data == b"1"
    assert after.seal(plain(b"2")).metadata["key"] == b"new"


def test_names_the_key_that_is_missing() -> None:
    sealed = temporal.Codec(OLD).seal(plain(b"1"))
    with pytest.raises(temporal.UnreadablePayload, match="'old'"):
        temporal.Codec(NEW).open(sealed)


def test_altered_data_is_refused() -> None:
    codec = temporal.Codec(NEW)
    sealed = codec.seal(plain(b"1"))
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    with pytest.raises(temporal.UnreadablePayload, match="altered"):
        codec.open(sealed)


def test_plain_json_passes_through() -> None:
    assert temporal.Codec(NEW).open(plain(b'{"by": "ops"}')) == plain(b'{"by": "ops"}')


def test_codec_server_protocol_both_ways() -> None:
    codec = temporal.Codec(NEW)
    typed = {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(b"7").decode(),
    }
    sealed = temporal.recode(codec, json.dumps({"payloads": [typed]}).encode(), decrypt=False)
    assert json.loads(sealed)["payloads"][0]["metadata"]["key"] == base64.b64encode(b"new").decode()
    assert json.loads(temporal.recode(codec, sealed.encode(), decrypt=True)) == {"payloads": [typed]}
    with pytest.raises(ValueError, match="no list of payloads"):
        temporal.recode(codec, b"{", decrypt=True)


async def test_inputs_summaries_memos_and_failures_are_encrypted_in_history(client: Client) -> None:
    secret = "Wilhelmina Quill +14155550199"
    async with running_worker(client, [Fails], [fail_with], queue="codec"):
        handle = await client.start_workflow(
            Fails.run,
            secret,
            id="codec-fails",
            task_queue="codec",
            memo={"who": secret},
            static_summary=secret,
        )
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert secret in str(failure.value.cause.__cause__)  # our own process reads it
    history = (await handle.fetch_history()).to_json()
    described = await handle.describe()
    raw = history + str(described.raw_description)
    assert "Wilhelmina" not in raw
    assert base64.b64encode(secret.encode()).decode()[:20] not in raw
    assert '"type": "permanent"' in history
    assert (await described.memo())["who"] == secret
