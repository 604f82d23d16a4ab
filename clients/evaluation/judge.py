"""Compares what became of a play with what its scenario expects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from workflows.playbook import Playbook
from workflows.words import plain

from .play import Played
from .scenario import DOINGS, Scenario, ScenarioError

_TRUE_ACTIONS = ("book", "cancel", "decline", "call_back", "send_link", "refer", "task", "offer_slots")


@dataclass(frozen=True)
class Miss:
    """One expectation that was not met. ``result``: any model must meet it; else it is about the way."""

    what: str
    wanted: str
    found: str
    result: bool = True

    def __str__(self) -> str:
        return f"{self.what}: wanted {self.wanted}, found {self.found}"


def judge(played: Played, playbook: Playbook) -> list[Miss]:
    """What was expected and is not so; none means that the scenario passed as written."""
    return [*always(played), *_results(played, playbook), *_way(played, playbook), *_turns(played, playbook)]


def always(played: Played) -> list[Miss]:
    """What is not so though it holds for every conversation."""
    misses = [Miss("booking", "a time that they chose", slot) for slot in played.wrong]
    if not played.over:
        misses.append(Miss("end", "an end", "a call that goes on"))
    if any(v.allowed and v.action not in ("opt_out", "end", "say") for v in _after_opt_out(played)):
        misses.append(Miss("opt-out", "nothing but goodbye after it", "more actions"))
    return misses


def _after_opt_out(played: Played) -> Iterator[Any]:
    seen = False
    for verdict in played.verdicts:
        if seen:
            yield verdict
        seen = seen or (verdict.action == "opt_out" and verdict.allowed)


def _results(played: Played, playbook: Playbook) -> Iterator[Miss]:
    scenario, expect = played.scenario, played.scenario.expect
    if expect.actions is not None:
        found = [action.model_dump(mode="json") for action in played.actions]
        if len(found) != len(expect.actions) or not all(
            _same_action(wanted, each) for wanted, each in zip(expect.actions, found, strict=True)
        ):
            yield Miss("actions", _listed(expect.actions), _listed(_told(each) for each in found))
    if expect.books is not None:
        wanted = "" if expect.books == "none" else scenario.slot(expect.books).id
        booked = f"{played.booking.rep}@{played.booking.start.isoformat()}" if played.booking else ""
        if booked.replace("Z", "+00:00") != wanted:
            yield Miss("books", wanted or "nothing", booked or "nothing")
    if expect.disposition is not None:
        found_ = next((a.disposition for a in reversed(played.actions) if a.kind == "decline"), "")
        if found_ != expect.disposition:
            yield Miss("disposition", expect.disposition or "none", found_ or "none")
    if expect.outcome is not None and played.ended.outcome != expect.outcome:
        yield Miss("outcome", expect.outcome, played.ended.outcome)
    if expect.ends is not None and (played.why or "open") != expect.ends:
        yield Miss("ends", expect.ends, played.why or "open")
    for field, value in expect.learned.items():
        if played.learned.get(field, "") != value:
            yield Miss(f"learned {field}", value, played.learned.get(field, "") or "nothing")
    for field in expect.unlearned:
        if played.learned.get(field):
            yield Miss(f"learned {field}", "nothing", played.learned[field])
    for words in expect.never:
        if matches(words, played.said, playbook):
            yield Miss("never", f"not {words!r}", "it was said")
    if expect.turns is not None and played.turns > expect.turns:
        yield Miss("turns", f"at most {expect.turns}", str(played.turns))


def _way(played: Played, playbook: Playbook) -> Iterator[Miss]:
    expect = played.scenario.expect
    path = played.ended.path
    if expect.path is not None and path != expect.path:
        yield Miss("path", _listed(expect.path), _listed(path), result=False)
    if expect.through and not _in_order(expect.through, path):
        yield Miss("through", _listed(expect.through), _listed(path), result=False)
    for wanted in expect.verdicts:
        if not any(_same_verdict(wanted, verdict) for verdict in played.verdicts):
            found = [f"{v.action} {'allowed' if v.allowed else 'denied'} {v.rule}" for v in played.verdicts]
            yield Miss("verdict", wanted, _listed(dict.fromkeys(found)), result=False)
    for words in expect.says:
        if not matches(words, played.said, playbook):
            yield Miss("says", repr(words), repr(played.said), result=False)
    for name, status in expect.concerns.items():
        concerns = {each.name: each.status for each in played.ended.concerns} or played.concerns
        if concerns.get(name, "none") != status:
            yield Miss(f"concern {name}", status, concerns.get(name, "none"), result=False)
    kinds = {moment.kind for moment in played.ended.moments}
    for kind in expect.moments:
        if kind not in kinds:
            yield Miss("moments", kind, _listed(sorted(kinds)), result=False)
    if expect.asks is not None and len(played.thoughts) != expect.asks:
        yield Miss("asks", str(expect.asks), str(len(played.thoughts)), result=False)


def _turns(played: Played, playbook: Playbook) -> Iterator[Miss]:
    for index, turn in enumerate(played.scenario.turns):
        said = played.replies.get(index, "")
        doing = next(name for name in DOINGS if getattr(turn, name))
        where = f"turn {index + 1} ({turn.says or doing})"
        for words in turn.hears:
            if not matches(words, said, playbook):
                yield Miss(f"{where} hears", repr(words), repr(said), result=False)
        for words in turn.hears_not:
            if matches(words, said, playbook):
                yield Miss(f"{where} hears not", repr(words), repr(said))
        if turn.at and played.nodes.get(index, "") != turn.at:
            yield Miss(f"{where} at", turn.at, played.nodes.get(index, "") or "never reached", result=False)


def _same_action(wanted: str | dict[str, str], found: dict[str, Any]) -> bool:
    if isinstance(wanted, str):
        return bool(found["kind"] == wanted)
    return all(value in str(found.get(name, "")) for name, value in wanted.items())


def _told(action: dict[str, Any]) -> str:
    more = ", ".join(f"{name} {value}" for name, value in action.items() if name != "kind" and value)
    return f"{action['kind']} ({more})" if more else str(action["kind"])


def _same_verdict(wanted: str, verdict: Any) -> bool:
    action, how, *rule = wanted.split()
    return (
        verdict.action == action
        and verdict.allowed == (how == "allowed")
        and (not rule or verdict.rule == rule[0])
    )


def _in_order(wanted: tuple[str, ...], path: tuple[str, ...]) -> bool:
    rest = iter(path)
    return all(node in rest for node in wanted)


def _listed(items: Any) -> str:
    return ", ".join(str(item) for item in items) or "nothing"


# ---- the playbook's words -----------------------------------------------------------------------------------------

_QUOTED = re.compile(r"<([a-z_][\w.]*)>")


def matches(wanted: str, said: str, playbook: Playbook) -> bool:
    """Whether ``wanted`` stands in what was said, in any case. ``<speech.robot>`` is the playbook's own; a list of
    wordings is met by any of them."""
    if not _QUOTED.search(wanted):
        return plain(wanted) in plain(said)
    parts: list[str] = []
    at = 0
    for found in _QUOTED.finditer(wanted):
        parts.append(re.escape(plain(wanted[at : found.start()])))
        options = "|".join(_template(option) for option in playbook_words(playbook, found[1]))
        parts.append(f"(?:{options})")
        at = found.end()
    parts.append(re.escape(plain(wanted[at:])))
    return bool(re.search(r"\s*".join(filter(None, parts)), plain(said)))


@cache
def _template(text: str) -> str:
    """A pattern for the playbook's ``text`` as it is said, its placeholders filled with anything."""
    pieces = [re.escape(plain(piece)) for piece in re.split(r"\{[a-z_]+\}", text)]
    return r".*?".join(pieces).strip()


def check(scenario: Scenario, playbook: Playbook) -> None:
    """Whether all that ``scenario`` names stands in ``playbook``. Raises ScenarioError naming file, line and remedy."""
    expect = scenario.expect
    said = [
        *expect.says,
        *expect.never,
        *(words for turn in scenario.turns for words in (*turn.hears, *turn.hears_not)),
    ]
    where = f"{scenario.file}:{scenario.line}: scenarios.{scenario.name}"
    for words in said:
        for found in _QUOTED.finditer(words):
            try:
                playbook_words(playbook, found[1])
            except KeyError as error:
                raise ScenarioError(
                    f"{where}: {error.args[0]}; name words that it has, or keep the scenario to other audiences (only:)"
                ) from error
    nodes = [*(expect.path or ()), *expect.through, *(turn.at for turn in scenario.turns if turn.at)]
    for node in nodes:
        if node not in playbook.graph:
            known = ", ".join(playbook.graph)
            raise ScenarioError(f"{where}: {node} is no node of {playbook.name}; write one of {known}")


def playbook_words(playbook: Playbook, path: str) -> tuple[str, ...]:
    """The playbook's words at the dotted ``path``. Raises KeyError when there are none."""
    found: Any = playbook
    for part in path.split("."):
        try:
            if isinstance(found, dict):
                found = found[part]
            elif isinstance(found, tuple | list):
                found = found[int(part)]
            else:
                found = getattr(found, part)
        except (KeyError, IndexError, AttributeError, ValueError) as error:
            raise KeyError(f"the playbook {playbook.name} has no words at <{path}>") from error
    if isinstance(found, tuple | list):
        return tuple(str(each) for each in found)
    return (str(getattr(found, "text", found)),)


def denied_falsely(played: Played) -> int:
    """Actions that the scenario expects, and that were denied more often than needed to learn what was missing: those
    that were never done."""
    expect = played.scenario.expect.actions or ()
    kinds = [each if isinstance(each, str) else each.get("kind", "") for each in expect]
    done: list[str] = [action.kind for action in played.actions]
    missing = {kind for kind in kinds if kind in _TRUE_ACTIONS and done.count(kind) < kinds.count(kind)}
    return sum(1 for verdict in played.verdicts if not verdict.allowed and verdict.action in missing)


def unsupported(played: Played) -> int:
    """Sentences of the model's that were not let through."""
    return sum(1 for verdict in played.verdicts if verdict.action == "say" and not verdict.allowed)


Passed = Literal["passed", "other_way", "failed"]


def passed(misses: list[Miss]) -> Passed:
    """``passed`` as written; ``other_way``: the result stands, but it was reached in another way; ``failed``."""
    if any(miss.result for miss in misses):
        return "failed"
    return "other_way" if misses else "passed"
