"""``showrate playbook``: prove a playbook, and draw its graph."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from activities.settings import settings
from workflows import graph, proof
from workflows.fault import misshapen, placed
from workflows.playbook import Playbook, PlaybookError, read_playbook

from . import printing
from .terminal import MISUSED, NOT_FOUND, REFUSED, AsJson, answer, fail

app = typer.Typer(
    help="Prove and draw playbooks. Exit codes: 0 proven or drawn, 1 a fault, 2 misused, 3 no such playbook.",
    no_args_is_help=True,
)

Given = Annotated[
    str, typer.Argument(metavar="PLAYBOOK", help="A name in SHOWRATE_PLAYBOOKS (inbound), or the path of a file.")
]


@app.command()
def check(
    playbooks: Annotated[
        list[str] | None, typer.Argument(metavar="[PLAYBOOK]...", help="Names or files; all of the folder by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove playbooks: readable, acyclic, every node reachable, every field obtainable, a person within reach."""
    folder = settings().showrate_playbooks
    names = playbooks or sorted(p.stem for p in folder.glob("*.yml") if not p.name.endswith(".team.yml"))
    if not names:
        fail(NOT_FOUND, f"there is no playbook in {folder}")
    found: list[dict[str, object]] = []
    for name in names:
        file, texts = _texts(name)
        book: Playbook | None = None
        try:
            book = read_playbook(file, texts)
            faults = proof.check(book, texts, file)
        except PlaybookError as error:
            faults = placed(misshapen(error), texts, file)
            if not faults:
                found.append({"playbook": name, "hash": "", "faults": [{"problem": str(error)}]})
                printing.err.print(f"✖ {name}: {error}", style="red", soft_wrap=True)
                continue
        hash_ = book.hash if book else ""
        found.append({"playbook": name, "hash": hash_, "faults": [f.model_dump(mode="json") for f in faults]})
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
    playbook: Given,
    path: Annotated[str, typer.Option(help="Nodes of one conversation to mark, as outreach,qualification.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the SVG here; standard output by default.")] = None,
) -> None:
    """Draw the graph of a playbook as SVG."""
    file, texts = _texts(playbook)
    book = _read(file, texts)
    nodes = [node.strip() for node in path.split(",") if node.strip()]
    if unknown := [node for node in nodes if node not in book.graph]:
        fail(MISUSED, f"{', '.join(unknown)}: no such node; there are {', '.join(book.graph)}")
    picture = graph.draw(book, nodes)
    if out is None:
        sys.stdout.write(picture + "\n")
        return
    out.write_text(picture + "\n", encoding="utf-8")
    printing.out.print(f"wrote {out}")


def _texts(name: str) -> tuple[str, dict[str, str]]:
    """The file that ``name`` means, and all files that it may extend, by file name."""
    given = Path(name)
    folder = given.parent if given.suffix == ".yml" else settings().showrate_playbooks
    file = given.name if given.suffix == ".yml" else f"{name}.yml"
    if not (folder / file).is_file():
        fail(NOT_FOUND, f"there is no playbook {folder / file}")
    return file, {each.name: each.read_text("utf-8") for each in folder.glob("*.yml")}


def _read(file: str, texts: dict[str, str]) -> Playbook:
    try:
        return read_playbook(file, texts)
    except PlaybookError as error:
        fail(REFUSED, str(error))
