"""Do-not-call lists: snapshots that somebody downloaded, read from files.

Under ``SHOWRATE_DO_NOT_CALL`` each list has a folder, and each of its snapshots a folder named by the day on which it was
downloaded; the newest counts, and its age is judged by the rule file:

    national/2027-03-01/212.txt         the FTC's flat files, one a subscribed area code (zipped or not)
    US-IN/2027-02-15/indiana.csv        a state's own list, in one file

A line is a number of ten digits, whole or as ``212,5550123``. A file named by an area code covers that code alone, any
other covers the codes that stand in it; of a code that no file covers nothing is known. Numbers are kept as sorted
integers of the files that were needed, and never leave this module: what is told of a fault is the file and the line.
"""

from __future__ import annotations

import re
import zipfile
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from workflows.calling import Listing

from .settings import settings

_LINE = re.compile(rb"\(?(\d{3})\)?[-,; .]?(\d{3})[-. ]?(\d{4})\s*")
_CODE = re.compile(r"(?<![0-9A-Za-z])([2-9]\d{2})(?![0-9A-Za-z])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class ListFault(ValueError):
    """A snapshot that cannot be read; the message names the file, the line and the remedy, and no number."""


def look(phone: str, name: str) -> Listing:
    """What the list ``name`` (``national``, ``US-IN``) says of ``phone`` (E.164). Raises nothing: what cannot be told is
    not known."""
    folder = settings().showrate_do_not_call
    if folder is None:
        return Listing(name=name, why="no lists are set up (SHOWRATE_DO_NOT_CALL)")
    try:
        newest = _newest(folder / name)
        if newest is None:
            return Listing(name=name, why="there is no snapshot; put one into a folder named by its day")
        day, files = newest
        if not re.fullmatch(r"\+1\d{10}", phone):
            return Listing(name=name, of=day, why="it lists numbers of North America only")
        on = _stands(phone[2:5], int(phone[5:]), files)
    except (OSError, ListFault, zipfile.BadZipFile) as error:
        why = str(error) if isinstance(error, ListFault) else f"the snapshot cannot be read ({type(error).__name__})"
        return Listing(name=name, why=why)
    return Listing(name=name, of=day, on=on, why="" if on is not None else "the snapshot does not cover this area code")


def _newest(folder: Path) -> tuple[date, list[Path]] | None:
    """The newest snapshot's day and files; None when there is none."""
    if not folder.is_dir():
        return None
    days = sorted((each for each in folder.iterdir() if each.is_dir() and _DAY.fullmatch(each.name)), reverse=True)
    if not days:
        return None
    try:
        day = date.fromisoformat(days[0].name)
    except ValueError:
        raise ListFault(f"{days[0].name} is no day; name the folder by the day of the download, as 2027-03-01") from None
    return day, sorted(each for each in days[0].iterdir() if each.is_file() and not each.name.startswith("."))


def _stands(code: str, rest: int, files: list[Path]) -> bool | None:
    """Whether the number stands in any of ``files``; None when none covers its area code."""
    named = {file: _CODE.findall(file.stem) for file in files}
    covering = [file for file in files if code in named[file]]
    covered = bool(covering)
    for file in covering or [file for file in files if not named[file]]:
        stamp = file.stat()
        numbers = _numbers(file, stamp.st_mtime_ns, stamp.st_size).get(code)
        if numbers is None:
            continue
        covered = True
        place = bisect_left(numbers, rest)
        if place < len(numbers) and numbers[place] == rest:
            return True
    return False if covered else None


@lru_cache(maxsize=512)
def _numbers(file: Path, modified: int, size: int) -> Mapping[str, array[int]]:
    """The numbers of one file, sorted, by area code: seven digits each. Raises ListFault."""
    found: dict[str, array[int]] = {}
    for count, line in enumerate(_content(file).splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ListFault(f"{file.name}, line {count}: no number; download the list as a flat text file")
        found.setdefault(match[1].decode(), array("I")).append(int(match[2] + match[3]))
    return {code: array("I", sorted(numbers)) for code, numbers in found.items()}


def _content(file: Path) -> bytes:
    if file.suffix != ".zip":
        return file.read_bytes()
    with zipfile.ZipFile(file) as packed:
        return b"\n".join(packed.read(name) for name in packed.namelist())
