"""``temporal-dev.yml`` is the one place where the server is written down, and what it says is what runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from temporalio.client import Client

from tests.fixtures.temporal import free_port, running_worker
from tests.toys import Echoes
from workers import server
from workflows import attributes


@pytest.fixture
def compose(tmp_path: Path) -> dict:
    return yaml.safe_load(server.COMPOSE.read_text())


def written(tmp_path: Path, content: dict) -> Path:
    file = tmp_path / "temporal-dev.yml"
    file.write_text(yaml.safe_dump(content))
    return file


def test_the_file_holds_the_attributes_that_workflows_set() -> None:
    assert set(server.read().search_attributes) == {key.name for key in attributes.ALL}
    assert set(server.read().search_attributes.values()) == {"Keyword"}


def test_every_argument_of_the_file_is_on_the_native_command_line(tmp_path: Path) -> None:
    line = server.native(server.read(), tmp_path)
    moved = {"--ip=0.0.0.0": "--ip=127.0.0.1", "--db-filename=/home/temporal/temporal.db": f"--db-filename={tmp_path}/temporal.db"}
    assert sorted(line[1:]) == sorted(moved.get(word, word) for word in server.read().command)
    assert Path(line[0]).name == "temporal"


def test_ports_command_and_volume_follow_the_file(tmp_path: Path, compose: dict) -> None:
    service = compose["services"]["temporal"]
    service["ports"] = ["127.0.0.1:17233:7233", "${SHOWRATE_UI:-18233}:8233"]
    service["volumes"] = ["elsewhere:/data"]
    service["command"] = "server start-dev --ip 0.0.0.0 --db-filename /data/t.db --search-attribute Extra=Int"
    read = server.read(written(tmp_path, compose))
    assert (read.port, read.ui_port, read.search_attributes) == (17233, 18233, {"Extra": "Int"})
    assert server.native(read, tmp_path / "here")[1:] == [
        *("server", "start-dev", "--db-filename", f"{tmp_path}/here/t.db", "--search-attribute", "Extra=Int"),
        *("--ip=127.0.0.1", "--port=17233", "--ui-port=18233"),
    ]


def test_extra_arguments_replace_dynamic_values_by_key(tmp_path: Path) -> None:
    shift = "--dynamic-config-value=history.timerProcessorMaxTimeShift"
    line = server.native(server.read(), tmp_path, extra=(f'{shift}="1ms"',))
    assert [word for word in line if word.startswith(shift)] == [f'{shift}="1ms"']


@pytest.mark.parametrize("content", [{}, {"services": {"temporal": {"command": ["server"]}}}])
def test_an_unusable_file_is_named(tmp_path: Path, content: dict) -> None:
    with pytest.raises(server.ServerError, match=r"temporal-dev\.yml: no usable service 'temporal'"):
        server.read(written(tmp_path, content))


def test_without_the_program_the_error_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(server.ServerError, match=r"https://docs\.temporal\.io/cli"):
        server.program()
    (tmp_path / "temporal").touch(0o755)
    assert server.program() == tmp_path / "temporal"


async def test_an_older_database_gets_the_attributes_that_it_lacks(tmp_path: Path) -> None:
    """The server ignores new --search-attribute flags on an existing database; ``register`` does not."""
    port = free_port()
    line = [word for word in server.native(server.read(), tmp_path, port=port) if "ShowrateHeld" not in word]
    process = subprocess.Popen([*line, "--headless"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await server.wait_until_answers(f"127.0.0.1:{port}")
        client = await Client.connect(f"127.0.0.1:{port}")
        wanted = server.read().search_attributes
        assert await server.register(client, wanted) == ["ShowrateHeld"]
        assert await server.register(client, wanted) == []
        with pytest.raises(server.ServerError, match="ShowrateHeld"):
            await server.register(client, {"ShowrateHeld": "Int"})
        assert (tmp_path / "temporal.db-wal").exists()
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def test_silence_is_an_error_after_the_patience() -> None:
    with pytest.raises(server.ServerError, match="no Temporal server answers"):
        await server.wait_until_answers(f"127.0.0.1:{free_port()}", seconds=0.3)


async def test_plain_json_from_the_command_line_works_with_encryption_on(
    client: Client, temporal_address: str, codec_endpoint: str
) -> None:
    """Inputs are typed as plain JSON; an encrypted answer is shown through the codec endpoint."""
    told = json.dumps({"by": "ops", "words": "now"})

    async def command(*words: str) -> str:
        line = [str(server.program()), "workflow", *words, "--address", temporal_address, "-o", "json"]
        ran = await asyncio.to_thread(
            subprocess.run, [*line, "--codec-endpoint", codec_endpoint], capture_output=True, text=True, timeout=20
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    async with running_worker(client, [Echoes], queue="echo"):
        handle = await client.start_workflow(Echoes.run, id="echo", task_queue="echo")
        await command("signal", "-w", "echo", "--name", "tell", "--input", told)
        assert await handle.query("said") == "ops: now"
        answered = await command("update", "execute", "-w", "echo", "--name", "say", "--input", told)
        assert json.loads(answered)["result"] == "ops: now"
        assert "ops: now" in await command("query", "-w", "echo", "--type", "said")
