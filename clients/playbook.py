"""``showrate playbook``: prove a playbook, and draw its graph."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from activities import library
from activities.settings import settings
from workflows import graph, proof
from workflows.fault import Fault, misshapen
from workflows.playbook import RULES, Playbook, PlaybookError, read_playbook, registered

from . import printing, stories
from .leads import Unknown
from .terminal import MISUSED, NOT_FOUND, REFUSED, AsJson, answer, fail, run

app = typer.Typer(
    help="Prove and draw playbooks. Exit codes: 0 proven or drawn, 1 a fault, 2 misused, 3 no such playbook.",
    no_args_is_help=True,
)


@app.command()
def check(
    playbooks: Annotated[
        list[str] | None, typer.Argument(metavar="[PLAYBOOK]...", help="Names or files; all of the folder by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove playbooks: readable, acyclic, every node reachable, every field obtainable, a person within reach."""
    folder = settings().showrate_playbooks
    names = playbooks or sorted(p.stem for p in folder.glob("*.yml") if not p.name.endswith((".team.yml", RULES)))
    if not names:
        fail(NOT_FOUND, f"there is no playbook in {folder}")
    found: list[dict[str, object]] = []
    for name in names:
        book, faults = _proven(*_texts(name))
        content = book.hash if book else ""
        found.append({"playbook": name, "hash": content, "faults": [f.in_full() for f in faults]})
        for fault in faults:
            printing.err.print(f"✖ {fault}", style="red", soft_wrap=True)
        if book and not faults and not as_json:
            what = f"{len(book.graph)} nodes, audience {book.audience}, version {book.version}, hash {book.hash}"
            printing.out.print(f"✔ {name}: proven ({what})", style="green", soft_wrap=True)
    answer(found, as_json, lambda: None)
    if any(each["faults"] for each in found):
        raise typer.Exit(REFUSED)


@app.command("graph")
def draw(
    playbook: Annotated[
        str, typer.Argument(metavar="[PLAYBOOK]", help="A name in SHOWRATE_PLAYBOOKS (inbound), or the path of a file.")
    ] = "",
    lead: Annotated[str, typer.Option(help="Mark the way of this lead's calls, in its own playbook.")] = "",
    attempt: Annotated[str, typer.Option(help="Only this call of the lead's.")] = "",
    path: Annotated[str, typer.Option(help="Nodes of one conversation to mark, as outreach,qualification.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the SVG here; standard output by default.")] = None,
) -> None:
    """Draw the graph of a playbook as SVG, or the way that a lead's calls took through it."""
    if bool(playbook) == bool(lead) or (attempt and not lead) or (path and lead):
        fail(MISUSED, "give a PLAYBOOK (with --path) or --lead (with --attempt)")
    picture = run(partial(_of_lead, lead, attempt), need=False) if lead else _of_playbook(playbook, path)
    if out is None:
        sys.stdout.write(picture + "\n")
        return
    out.write_text(picture + "\n", encoding="utf-8")
    printing.out.print(f"wrote {out}")


async def _of_lead(named: str, attempt: str, client: Client | None) -> str:
    """Raises Unknown, Unreachable."""
    told = await stories.named(client, named)
    await stories.from_record(library.load)
    if told.playbook not in registered():
        raise Unknown("neither the record nor the folder holds this lead's playbook")
    return stories.drawn(told, registered()[told.playbook], attempt)


def _of_playbook(playbook: str, path: str) -> str:
    file, texts = _texts(playbook)
    book = _read(file, texts)
    nodes = [node.strip() for node in path.split(",") if node.strip()]
    if unknown := [node for node in nodes if node not in book.graph]:
        fail(MISUSED, f"{', '.join(unknown)}: no such node; there are {', '.join(book.graph)}")
    return graph.draw(book, nodes)


def _proven(file: str, texts: dict[str, str]) -> tuple[Playbook | None, list[Fault]]:
    """The playbook, if it can be read at all, and its faults."""
    try:
        book = read_playbook(file, texts)
    except PlaybookError as error:
        return None, misshapen(error, texts, file)
    return book, proof.check(book, texts, file)


def _texts(name: str) -> tuple[str, dict[str, str]]:
    """The file that ``name`` means, and all files that it may extend, by file name."""
    given = Path(name)
    folder = given.parent if given.suffix == ".yml" else settings().showrate_playbooks
    file = given.name if given.suffix == ".yml" else f"{name}.yml"
    if not (folder / file).is_file():
        fail(NOT_FOUND, f"there is no playbook {folder / file}")
    return file, {each.name: each.read_text("utf-8") for each in folder.glob("*.yml")}


def written(name: str) -> Playbook:
    """The playbook that ``name`` means, or the command's end."""
    file, texts = _texts(name)
    return _read(file, texts)


def _read(file: str, texts: dict[str, str]) -> Playbook:
    try:
        return read_playbook(file, texts)
    except PlaybookError as error:
        fail(REFUSED, str(error))
