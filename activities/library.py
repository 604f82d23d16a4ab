"""The playbooks and teams of this installation: read from the folder of files, and remembered in the record by hash.

Both the worker and the web process call :func:`load` before they start; from then on the registry of
``workflows/playbook.py`` does not change.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from activities import installation
from activities.settings import Settings, settings
from workflows import playbook
from workflows.playbook import Playbook, PlaybookError
from workflows.roster import Team, read_team
from workflows.rulebook import Rulebook

_TEAM = ".team.yml"


def playbooks(folder: Path) -> list[Playbook]:
    """The playbooks written in ``folder`` as ``*.yml``; ``extends:`` names another file of the folder.

    Raises PlaybookError naming file, field and remedy, also when two playbooks share audience and version."""
    texts = {file.name: file.read_text("utf-8") for file in _files(folder) if not file.name.endswith(_TEAM)}
    found = {name: playbook.read_playbook(name, texts) for name in texts if not name.endswith(playbook.RULES)}
    taken: dict[tuple[str, int], str] = {}
    for name, book in found.items():
        other = taken.setdefault((book.audience, book.version), name)
        if other != name:
            raise PlaybookError(
                f"{name}: audience {book.audience!r} version {book.version} is also {other}'s; raise version: in one"
            )
    return list(found.values())


def teams(folder: Path) -> list[Team]:
    """The teams written in ``folder`` as ``*.team.yml``. Raises PlaybookError naming file and field."""
    found = []
    for file in _files(folder):
        if file.name.endswith(_TEAM):
            try:
                found.append(read_team(file.read_text("utf-8")))
            except ValueError as error:
                raise PlaybookError(f"{file.name}: {error}") from error
    return found


def rules(name: str) -> Rulebook | None:
    """The rule file of this name as it stands now, which may be newer than the one that a playbook took over; None when
    there is none any more. Raises PlaybookError when it cannot be used."""
    file = settings().showrate_playbooks / f"{name}{playbook.RULES}"
    try:
        stamp = file.stat()
    except FileNotFoundError:
        return None
    return _rules(file, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=8)
def _rules(file: Path, modified: int, size: int) -> Rulebook:
    return playbook.read_rules(file.name, {file.name: file.read_text("utf-8")})


def load(using: Settings | None = None) -> list[Playbook]:
    """Register every playbook that the record remembers, then those of the folder, which are returned.

    Reads the record: call it through a thread from a running event loop. Raises PlaybookError."""
    written = playbooks((using or settings()).showrate_playbooks)
    playbook.register(installation.playbooks().values())
    playbook.register(written)
    return written


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yml"))
