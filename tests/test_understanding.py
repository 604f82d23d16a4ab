"""Understanding: a dozen wishes told apart, signs that add up, concerns that are followed, and what is read back."""

from __future__ import annotations

from typing import Any

import pytest

from workflows import events as ev
from workflows.conversation import signals
from workflows.wishes import wish

from .talk import SLOTS, Lead, Talk, brief, scripted, turn

CORPUS: dict[str, tuple[str, ...]] = {
    "later": (
        "Call me next week.", "Can you call me back tomorrow?", "Could you try me again on Thursday?", "Ring me in an hour.",
        "I'm in a meeting, call me later.", "Please call back another time.", "Let's talk next month instead.",
        "Get back to me after the holidays.", "Can we do this some other time?", "Reach out again in two weeks.",
        "I'm not interested right now, call me next month.", "Now is not a good time, try tomorrow afternoon.",
        "Give me a call on Monday morning.", "Don't call me now, call me at five.", "Another day would be better.",
    ),
    "not_interested": (
        "I'm not interested.", "No thanks, not interested.", "We don't need this.", "I don't want it.", "It's not for us.",
        "I've changed my mind.", "We've gone with somebody else.", "No interest, sorry.", "I'll pass, thanks.",
        "We're all set, thank you.", "I don't think this is for me.", "Not really interested, to be honest.",
        "I no longer need it.", "We decided against it.", "Thanks but no thanks.", "I don't think I'm interested.",
    ),
    "referral": (
        "You should talk to my colleague Sam.", "I'm not the right person for this, that's my boss.",
        "You'd have to speak with our operations manager.", "My wife handles that.", "That would be Sarah in purchasing.",
        "Sounds good, but I don't decide that, my manager does.", "You need to ask my brother, he runs the warehouse.",
        "I'm not the one who takes care of this.", "Please contact our IT lead instead.",
        "We'd like it, but Tom is in charge of that.", "You want to speak to our office manager, not me.",
        "Wrong person, you want Maria in logistics.", "I just filled it in for my boss, talk to him.",
        "That's not my department, try accounting.", "I'm the wrong person to ask, but we'd love to see it.",
    ),
    "link": (
        "Just text me the link.", "Can you send me the link?", "Send me the info instead.", "Text it to me please.",
        "Just send me a link and I'll book myself.", "Could you text me the details?", "Shoot me a text with the link.",
        "I'd rather do it online, send me the link.", "Drop me the link.", "Can I get the link by text?",
        "Message me the link please.", "SMS me the link.", "I'd prefer the link.", "Can you text me that?",
    ),
    "already_booked": (
        "I already booked.", "I've already scheduled a demo.", "I already have an appointment with you.",
        "We're already booked in for Tuesday.", "I've already got a meeting with you on Tuesday.", "I booked one online yesterday.",
        "Didn't I already book that?", "I made an appointment last week.", "There's already a meeting in my calendar with you.",
        "I already picked a time on your website.", "I signed up for a slot this morning.", "We set that up already.",
        "It's already scheduled.", "We already have a demo scheduled.",
    ),
    "call_now": (
        "Call me back now.", "Can you call me right back?", "Please call me back right away.", "Hang up and call me again.",
        "The line is bad, call me back.", "Call me back immediately.", "Can you ring me back straight away?",
        "Call me now please.", "Give me a call right now.", "You're breaking up, please ring me again.",
        "I can talk now, call me.", "Phone me asap.", "Can someone call me right now?", "Call me this minute.",
    ),
    "person": (
        "Can I speak to a human?", "Let me talk to a real person.", "I want a human.", "Put me through to somebody.",
        "Get me an agent.", "Representative.", "Operator please.", "Is there a person I can talk to?", "Transfer me to sales.",
        "Connect me with a manager.", "I'd rather speak with someone from your team.", "Can a colleague of yours call me?",
        "I'd prefer to talk to a real person.", "Have a person call me, please.",
    ),
    "robot": (
        "Are you a robot?", "Is this a bot?", "Am I talking to AI?", "You're not real, are you?", "Is this a recording?",
        "Am I speaking with a machine?", "Are you even human?", "You sound like a robot.", "Are you a computer or a person?",
        "Is this an automated call?", "Are you an AI assistant?", "This is a robot, right?", "You're a chatbot aren't you?",
        "So I'm talking to a computer?", "Is this a real voice?", "Is there a real human on the line?", "Are you for real or a machine?",
    ),
    "stop": (
        "Stop calling me.", "Please stop calling this number.", "Don't call me again.", "Never call this number again.",
        "Take me off your list.", "Remove my number, please.", "Unsubscribe.", "I want to opt out.", "Leave me alone.",
        "No more calls please.", "Lose my number.", "Stop harassing me.", "I don't want you to call me.",
        "Put me on your do not call list.",
    ),
    "complaint": (
        "I have a complaint.", "I want to complain about your service.", "This is harassment.", "I'm going to report you.",
        "You people keep calling me, this is ridiculous.", "I'd like to file a complaint.", "I'm really upset with you.",
        "I'm very unhappy with how I was treated.", "Your last rep was rude to me.", "I will call my lawyer.",
        "This is the third time today, it's unacceptable.", "I'm fed up with these calls.", "Nobody ever showed up to my demo.",
        "I was promised a refund and got nothing.",
    ),
    "wrong_number": (
        "You have the wrong number.", "Wrong number, sorry.", "There's no Dana here.", "Nobody by that name here.",
        "I never filled out any form.", "No, that's not me.", "I'm not Dana.", "You've got the wrong guy.",
        "She doesn't live here anymore.", "No one called Dana works here.", "This isn't Dana's number.",
        "I think you dialed the wrong number.", "I don't know any Dana.", "Dana doesn't have this number any more.",
    ),
    "maybe": (
        "Yeah... I guess.", "Maybe, sure.", "Um, okay, I suppose.", "Sure, I guess so.", "I guess so.", "Well, alright, if you say so.",
        "Yes, maybe.", "Hmm, okay.", "Uh, I suppose that works.", "Probably yes.", "I think so.", "Yeah, why not, I guess.",
        "Ok... kind of.", "Mm, fine, whatever.", "I could do that, I guess.", "Possibly, yes.",
    ),
}  # fmt: skip
"""What people say for each wish, by name. Dana is whom we call."""

NEAR: dict[str, tuple[str, ...]] = {
    "later": ("I'll call you back tomorrow.", "We will try it next month.", "Later this year.", "I'm driving.", "When would the demo be?"),
    "not_interested": (
        "I'm interested.", "It's not for me, it's for my team.", "I don't need it before March.", "I don't want to wait too long.",
        "We don't need a forklift count.", "I'm interested in the price.",
    ),
    "referral": (
        "I need to talk to my boss first.", "My boss and I decide together.", "I decide on that myself.", "I have to ask my wife.",
        "My team handles about fifty orders a day.", "It's for my boss.", "That would be great.", "You should call me tomorrow.", "That would be around ten in total.",
        "You need to speak up.",
    ),
    "link": ("I got the link.", "Did you send me the link?", "I'll send you the details.", "Don't text me the link.", "Does it link to Xero?"),
    "already_booked": (
        "I'm already booked at ten.", "I'm booked solid on Tuesday.", "We already have a system.", "I already have a meeting then.",
        "Book me in.", "I have a meeting at three.", "We already use another tool.",
    ),
    "call_now": (
        "Call me back tomorrow.", "Don't call me now.", "I can't talk right now.", "Now is a good time.", "Call me back in twenty minutes.",
        "Why are you calling me right now?", "Call me later.",
    ),
    "person": (
        "I need to talk to my manager first.", "I am a real person.", "How many people do you have?", "I'm the manager.",
        "I talked to a colleague of yours last week.", "Are you a real person?", "About ten people.", "I have to talk to people in my team.",
    ),
    "robot": (
        "We use robots in our warehouse.", "I'm a real person.", "Is this a real offer?", "Is the system automated?",
        "Does the machine count stock?", "Is this Tallyhook?", "Is it automated, or do we count by hand with it?",
    ),
    "stop": ("Don't call me before ten.", "Please don't stop.", "Stop by any time.", "I want to stop losing stock.", "Don't stop the demo."),
    "complaint": (
        "Our customers complain about wrong counts.", "We get complaints from drivers.", "No complaints so far.", "I can't complain.",
        "The old system is terrible.", "We're unhappy with our current software.", "I'm a lawyer.",
    ),
    "wrong_number": (
        "That's the wrong date.", "There's no rush here.", "We never fill orders wrong.", "I'm not in the office.", "Wrong time.",
        "She's not here right now.", "I don't know any way around it.",
    ),
    "maybe": ("Sure.", "Absolutely, let's do it.", "Yes please.", "Maybe not.", "I guess not.", "I don't know.", "Not sure.", "Why not?", "Okay.", "Let me think about it."),
}  # fmt: skip
"""Near misses: what sounds like the wish and is none."""


@pytest.mark.parametrize(("wanted", "text"), [(name, text) for name, texts in CORPUS.items() for text in texts])
def test_local_rules_tell_the_wishes_apart(wanted: str, text: str) -> None:
    assert wish(text, "Dana Reyes") == wanted


@pytest.mark.parametrize(("unwanted", "text"), [(name, text) for name, texts in NEAR.items() for text in texts])
def test_near_misses_are_no_such_wish(unwanted: str, text: str) -> None:
    assert wish(text, "Dana Reyes") != unwanted


def test_each_wish_has_a_dozen_wordings_and_its_near_misses() -> None:
    assert all(len(texts) >= 12 for texts in CORPUS.values())
    assert CORPUS.keys() == NEAR.keys()


# ---- through the core -------------------------------------------------------------------------------------------------

KNOWN = {"use_case": "stock counts", "team_size": "20", "timeline": "quarter"}
BOOKING = ev.Booking(id="b0", rep="ana", rep_name="Ana Torres", start=SLOTS[0].start, end=SLOTS[0].end)


def broken(ask: signals.Ask) -> str:
    """A model that gives nothing usable: local rules decide."""
    return "I am sorry, as a language model"


def deaf(ask: signals.Ask) -> str:
    """A model that misses what was said."""
    return turn("say", "Okay.", "unclear")


MODELS = {"broken": broken, "deaf": deaf, "scripted": scripted}
INTENTS = {"link": "send_link", "wrong_number": "wrong_person", "maybe": "yes"}


def reads(intent: str) -> Any:
    """A model that reads ``intent`` and proposes nothing but words."""
    return lambda ask: turn("say", "Okay.", INTENTS.get(intent, intent))


EXPECTED: dict[str, tuple[str, str]] = {
    "later": ("call_back", "|when|which day"),
    "not_interested": ("decline", "thank you for telling me"),
    "referral": ("refer", "take it up with them|who would be the right person"),
    "link": ("send_link", "link"),
    "already_booked": ("task", "no meeting of yours"),
    "call_now": ("call_back", "in a few minutes|on the line now"),
    "person": ("hand_off", "a colleague get back"),
    "robot": ("", "automated assistant"),
    "stop": ("opt_out", "not hear from us again"),
    "complaint": ("hand_off", "sorry about that"),
    "wrong_number": ("decline", "sorry to have bothered"),
}
"""What each wish leads to: the action, and something of the words."""


@pytest.mark.parametrize("how", ["broken", "deaf", "read"])
@pytest.mark.parametrize(("wanted", "text"), [(name, text) for name in EXPECTED for text in CORPUS[name]])
def test_each_wish_takes_its_branch_with_the_model_and_without(wanted: str, text: str, how: str) -> None:
    talk = Talk(brief(learned=KNOWN), model=reads(wanted) if how == "read" else MODELS[how])
    said = talk.hear(text).lower()
    kind, words = EXPECTED[wanted]
    assert [a.kind for a in talk.lead.acts] in ([], [kind])
    assert any(word in said for word in words.split("|"))
    if talk.lead.acts:
        assert all(v.allowed for v in talk.state.verdicts)
    else:
        assert wanted in ("later", "referral", "call_now", "robot")
        assert said.endswith("?")
    if wanted == "wrong_number":
        assert talk.lead.acts[0].disposition == "wrong_person"
    if wanted == "complaint":
        assert talk.lead.acts[0].complaint
        assert talk.lead.acts[0].why.startswith("complaint: ")
        assert "?" not in said


@pytest.mark.parametrize("text", CORPUS["maybe"])
@pytest.mark.parametrize("how", ["broken", "deaf", "scripted", "books"])
def test_a_hesitating_yes_books_nothing_until_it_is_a_clear_one(text: str, how: str) -> None:
    model = MODELS.get(how) or (
        lambda ask: turn("book" if "book" in ask.actions else "say", "Fine.", "yes", choice="first")
    )
    talk = Talk(brief(learned=KNOWN), model=model, lead=Lead(SLOTS[:1]))
    talk.hear("Yes, sure.")
    assert talk.state.offered == SLOTS[:1]
    said = talk.hear(text)
    assert not [a for a in talk.lead.acts if a.kind == "book"]
    assert said.endswith("?")
    if how == "books" or how == "broken":
        assert said == "You said tomorrow, Tuesday the 24th, at 10 AM, is that right?"
        assert "booked with Ana Torres" in talk.hear("Yes, that's right.")
