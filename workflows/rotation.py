"""A team's turn-keeping: who may take a lead's meeting, in which order, why, and who had how many.

Pure steps ``(rotation, request) -> (rotation, answer)`` around the accounts of :mod:`.fairness`. A repeat under the
same booking's id gets the answer that it got before. Holds no personal data of leads: ids and times only.
"""

from __future__ import annotations

import heapq
from datetime import timedelta

from pydantic import Field

from . import fairness, routing
from .fairness import Account, Turn
from .model import Duration, Instant, Model
from .roster import Rep, Team

MEMORY = timedelta(days=90)
"""How long a turn is remembered by its booking; the accounts stay."""


class AskCandidates(Model):
    """Who could take this lead's meeting? Asking counts as an open offer until ``until``: others who ask meanwhile
    are sent to the next in turn. ``owner`` is a rep's id or their owner id in the CRM; ``rep`` asks for one rep
    only."""

    lead: str
    now: Instant
    until: Instant
    owner: str = ""
    rep: str = ""
    count: int = Field(default=3, ge=1)
    facts: dict[str, str] = Field(default_factory=dict)
    """What the routes may ask of the lead (``workflows/routing.py``)."""


class Candidate(Model):
    """``within`` is set for the lead's owner: alone as long as they have a time within it."""

    rep: Rep
    why: str
    within: Duration | None = None


class Candidates(Model):
    """The preferred first; ``why`` says why there is nobody."""

    candidates: tuple[Candidate, ...] = ()
    why: str = ""


class AssignTurn(Model):
    """``rep`` takes the meeting ``booking`` of ``lead``. ``replaces`` is the booking that it moves: with the same
    rep, its turn is carried on."""

    booking: str = Field(min_length=1)
    lead: str
    rep: str
    now: Instant
    owner: str = ""
    replaces: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    start: Instant | None = None
    """When the meeting is."""


class Assigned(Model):
    """``rep`` and the ``reason`` for them; ``refused`` says in words for people why not."""

    rep: Rep | None = None
    reason: str = ""
    refused: str = ""


class GiveBack(Model):
    """The meeting ``booking`` with ``rep`` will not be. ``undo``: it never was answered for, so a turn that it
    carried on goes back to the booking that it was to move."""

    booking: str = Field(min_length=1)
    rep: str
    now: Instant
    undo: bool = False


class GivenBack(Model):
    """The rep as known, also when they left the team; None when the team never heard of them."""

    rep: Rep | None = None


class Outcome(Model):
    """How a meeting went. The last word counts."""

    booking: str = Field(min_length=1)
    showed: bool


class SetActive(Model):
    """Whether ``rep`` takes meetings from now on."""

    rep: str
    active: bool
    by: str
    why: str = ""


class Offer(Model):
    """A lead is looking at this rep's times."""

    rep: str
    until: Instant


class Gone(Model):
    """A rep who stopped taking meetings, and the leads of whom they had a meeting then."""

    rep: str
    name: str
    leads: tuple[str, ...] = ()
    by: str = ""
    why: str = ""


class Rotation(Model):
    team: Team
    away: dict[str, str] = Field(default_factory=dict)
    """Reps switched off, and by whom."""
    former: dict[str, Rep] = Field(default_factory=dict)
    """Reps who left: their events can still be taken back, and their account balances the others'."""
    accounts: dict[str, Account] = Field(default_factory=dict)
    turns: dict[str, Turn] = Field(default_factory=dict)
    gone: tuple[Gone, ...] = ()
    """Whose leads have not been told yet."""
    offers: dict[str, Offer] = Field(default_factory=dict)
    latest: Instant | None = None

    def rep(self, rep: str) -> Rep | None:
        """A rep by id, also one who left."""
        return next((one for one in self.team.reps if one.id == rep), self.former.get(rep))

    def active(self) -> dict[str, Rep]:
        """Those who take meetings, in the roster's order."""
        return {one.id: one for one in self.team.reps if one.active and one.id not in self.away}


class Share(Model):
    """One rep's account, for people."""

    rep: str
    name: str
    active: bool
    weight: float
    had: int
    due: float
    drift: float
    no_shows: int


class Shares(Model):
    team: str
    shares: tuple[Share, ...]
    recent: tuple[Turn, ...] = ()
    """The latest turns with their reasons, newest first."""
    bound: int
    """No drift exceeds this, but for turns given back or taken out of turn."""


def set_roster(rotation: Rotation, team: Team) -> tuple[Rotation, Shares]:
    """The team as it is from now on. Who joins starts with an even account; who left keeps theirs."""
    here = {rep.id for rep in team.reps}
    former = {**rotation.former, **{rep.id: rep for rep in rotation.team.reps}}
    changed = rotation.model_copy(
        update={
            "team": team,
            "former": {rep: known for rep, known in former.items() if rep not in here},
            "accounts": {**{rep: Account() for rep in here}, **rotation.accounts},
            "away": {rep: by for rep, by in rotation.away.items() if rep in here},
        }
    )
    changed = _without(changed, set(rotation.active()) - set(changed.active()), "the roster", "left the team")
    return changed, shares(changed)


def set_active(rotation: Rotation, asked: SetActive) -> tuple[Rotation, Shares]:
    """Switch a rep off or on; one that is not in the team changes nothing."""
    away = {rep: by for rep, by in rotation.away.items() if rep != asked.rep}
    if not asked.active and any(rep.id == asked.rep for rep in rotation.team.reps):
        away[asked.rep] = asked.by
    changed = rotation.model_copy(update={"away": away})
    changed = _without(changed, set(rotation.active()) - set(changed.active()), asked.by, asked.why)
    return changed, shares(changed)


def _without(rotation: Rotation, reps: set[str], by: str, why: str) -> Rotation:
    """Note that ``reps`` take no meetings any more, with the leads whose turns they had."""
    gone = [
        Gone(
            rep=rep,
            name=known.name if (known := rotation.rep(rep)) else rep,
            leads=tuple(
                sorted({t.lead for t in rotation.turns.values() if t.rep == rep and t.state == "taken" and t.lead})
            ),
            by=by,
            why=why,
        )
        for rep in sorted(reps)
    ]
    return rotation.model_copy(update={"gone": (*rotation.gone, *gone)}) if gone else rotation


def candidates(rotation: Rotation, asked: AskCandidates) -> tuple[Rotation, Candidates]:
    """The lead's owner first, then the pool by its turns; at most ``count``."""
    active = rotation.active()
    if asked.rep:
        if asked.rep not in active:
            return rotation, Candidates(why=_unavailable(rotation, asked.rep))
        only = Candidate(rep=active[asked.rep], why="the rep who was asked for")
        return rotation, Candidates(candidates=(only,))
    owner = _owner(active, asked.owner)
    routed = routing.route(rotation.team, active, asked.facts)
    if routed.queue and not owner:
        return rotation, Candidates(why=routed.why)
    open_offers = {
        lead: offer for lead, offer in rotation.offers.items() if lead != asked.lead and asked.now < offer.until
    }
    ordered = _order(rotation, {rep: active[rep] for rep in routed.reps}, open_offers)
    if not ordered and not owner:
        return rotation, Candidates(why=f"nobody in the team {rotation.team.id} takes meetings now")
    if not owner:
        open_offers[asked.lead] = Offer(rep=ordered[0], until=asked.until)
    names = {rep.id: rep.name for rep in active.values()}
    found = [Candidate(rep=active[owner], why=_OWNS, within=rotation.team.owner_within)] if owner else []
    found += [
        Candidate(rep=active[rep], why=_joined(routed.why, fairness.reason(rotation.accounts, rep, ordered, names)))
        for rep in ordered
        if rep != owner
    ]
    changed = rotation.model_copy(update={"offers": open_offers, "latest": _later(rotation, asked.now)})
    return changed, Candidates(candidates=tuple(found[: asked.count]))


def assign(rotation: Rotation, asked: AssignTurn) -> tuple[Rotation, Assigned]:
    """Give the meeting to ``rep``, with the reason. Refused for a rep who takes no meetings now."""
    known = rotation.turns.get(asked.booking)
    if known:
        if known.rep != asked.rep or known.state == "given_back":
            return rotation, Assigned(refused="this booking was given back before")
        return rotation, Assigned(rep=rotation.rep(known.rep), reason=known.reason)
    active = rotation.active()
    if asked.rep not in active:
        return rotation, Assigned(refused=_unavailable(rotation, asked.rep))
    turns = dict(rotation.turns)
    before = turns.get(asked.replaces)
    turn = Turn(rep=asked.rep, shares={asked.rep: 1.0}, at=asked.now, lead=asked.lead, start=asked.start)
    accounts = rotation.accounts
    if before and before.rep == asked.rep and before.state == "taken":
        why = "kept from the meeting that was moved"
        turn = turn.model_copy(update={"shares": before.shares, "moved_from": asked.replaces, "reason": why})
        turns[asked.replaces] = before.model_copy(update={"state": "moved"})
    else:
        turn = _fresh(rotation, active, asked, turn)
        accounts = fairness.assign(accounts, turn)
    turns[asked.booking] = turn
    offers = {lead: offer for lead, offer in rotation.offers.items() if lead != asked.lead}
    changed = rotation.model_copy(
        update={
            "accounts": accounts,
            "turns": turns,
            "offers": offers,
            "latest": _later(rotation, asked.now),
        }
    )
    return changed, Assigned(rep=active[asked.rep], reason=turn.reason)


def give_back(rotation: Rotation, asked: GiveBack) -> tuple[Rotation, GivenBack]:
    """The turn counts no longer; the booking's id is spent, also when it was never assigned."""
    answer = GivenBack(rep=rotation.rep(asked.rep))
    turns, accounts = dict(rotation.turns), rotation.accounts
    turn = turns.get(asked.booking)
    if turn is None:
        turns[asked.booking] = Turn(rep=asked.rep, shares={}, at=asked.now, state="given_back")
    elif turn.state in ("given_back", "no_show", "moved"):
        return rotation, answer
    else:
        before = turns.get(turn.moved_from)
        if asked.undo and before and before.state == "moved":
            turns[turn.moved_from] = before.model_copy(update={"state": "taken"})
        else:
            accounts = fairness.give_back(accounts, turn)
        turns[asked.booking] = turn.model_copy(update={"state": "given_back"})
    changed = rotation.model_copy(update={"turns": turns, "accounts": accounts, "latest": _later(rotation, asked.now)})
    return changed, answer


def outcome(rotation: Rotation, asked: Outcome) -> tuple[Rotation, bool]:
    """A no-show gives the turn back, a later correction takes it again. False when it changed nothing."""
    turn = rotation.turns.get(asked.booking)
    wanted = "showed" if asked.showed else "no_show"
    if turn is None or turn.state == wanted or turn.state in ("moved", "given_back"):
        return rotation, False
    accounts: dict[str, Account] = rotation.accounts
    if not asked.showed:
        accounts = fairness.no_show(accounts, turn)
    elif turn.state == "no_show":
        accounts = fairness.showed_after_all(accounts, turn)
    turns = {**rotation.turns, asked.booking: turn.model_copy(update={"state": wanted})}
    return rotation.model_copy(update={"accounts": accounts, "turns": turns}), True


def shares(rotation: Rotation, recent: int = 20) -> Shares:
    """Each rep's share, and the latest assignments with their reasons."""
    active = rotation.active()
    rows = []
    for rep in rotation.team.reps:
        account = rotation.accounts.get(rep.id, Account())
        rows.append(
            Share(
                rep=rep.id,
                name=rep.name,
                active=rep.id in active,
                weight=rep.weight,
                had=account.had,
                due=round(account.due, 3),
                drift=round(account.drift, 3),
                no_shows=account.no_shows,
            )
        )
    latest = heapq.nlargest(recent, rotation.turns.values(), key=lambda turn: turn.at)
    return Shares(
        team=rotation.team.id,
        shares=tuple(rows),
        recent=tuple(latest),
        bound=max(len(rotation.accounts) - 1, 0),
    )


def without_past(rotation: Rotation) -> Rotation:
    """The rotation to carry on with: turns older than MEMORY and offers that are over are dropped."""
    now = rotation.latest
    if now is None:
        return rotation
    return rotation.model_copy(
        update={
            "turns": {b: turn for b, turn in rotation.turns.items() if turn.at >= now - MEMORY},
            "offers": {lead: offer for lead, offer in rotation.offers.items() if offer.until > now},
        }
    )


_OWNS = "owns the contact in the CRM"


def _fresh(rotation: Rotation, active: dict[str, Rep], asked: AssignTurn, turn: Turn) -> Turn:
    """A turn of its own: the owner's moves nobody's place; any other is due to all who may take this lead now."""
    owner = _owner(active, asked.owner)
    if owner == asked.rep:
        return turn.model_copy(update={"reason": _OWNS})
    routed = routing.route(rotation.team, active, asked.facts)
    eligible = {rep: active[rep] for rep in active if rep in routed.reps or rep == asked.rep}
    others = {lead: offer for lead, offer in rotation.offers.items() if lead != asked.lead}
    live = {lead: offer for lead, offer in others.items() if asked.now < offer.until}
    ordered = _order(rotation, eligible, live)
    names = {rep.id: rep.name for rep in active.values()}
    fair = fairness.reason(rotation.accounts, asked.rep, ordered, names)
    return turn.model_copy(
        update={
            "shares": fairness.shares({rep.id: rep.weight for rep in eligible.values()}),
            "reason": _joined(_passed_over(rotation, asked.owner, active), routed.why, fair),
        }
    )


def _passed_over(rotation: Rotation, owner: str, active: dict[str, Rep]) -> str:
    """Why the lead's owner does not have this meeting; empty when there is none in the team."""
    everybody = {rep.id: rep for rep in (*rotation.former.values(), *rotation.team.reps)}
    known = _owner(everybody, owner)
    if not known:
        return ""
    name = everybody[known].name
    if known in active:
        return f"{name} owns the contact and had no time that suited"
    return f"{name} owns the contact and takes no meetings now"


def _joined(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def _order(rotation: Rotation, active: dict[str, Rep], offers: dict[str, Offer]) -> list[str]:
    weights = {rep.id: rep.weight for rep in active.values()}
    return fairness.order(rotation.accounts, weights, [offer.rep for offer in offers.values()])


def _owner(active: dict[str, Rep], owner: str) -> str:
    """The active rep of this id, or with this owner id in the CRM; else ''."""
    if owner in active:
        return owner
    return next((rep.id for rep in active.values() if owner and rep.crm_owner == owner), "")


def _unavailable(rotation: Rotation, rep: str) -> str:
    known = rotation.rep(rep)
    return f"{known.name} takes no meetings now" if known else f"nobody here is called {rep}"


def _later(rotation: Rotation, now: Instant) -> Instant:
    return max(rotation.latest, now) if rotation.latest else now
