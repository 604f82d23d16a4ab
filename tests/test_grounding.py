"""What the model may say and what it may not, in several states: no sentence is let through that nothing supports."""

from __future__ import annotations

import timeit
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import events as ev
from workflows.conversation import grounding
from workflows.conversation.state import State

from .talk import NOW, SLOTS, brief, playbook, slot

THURSDAY = ev.Booking(id="b1", rep="ana", rep_name="Ana Torres", start=slot(26, 10).start, end=slot(26, 10).end)
FRIDAY = ev.Booking(id="b0", rep="ana", rep_name="Ana Torres", start=slot(20, 15).start, end=slot(20, 15).end)
TOLD = (
    "Yes, speaking.",
    "We run three warehouses and it is all spreadsheets, which is a mess.",
    "About twelve people, I would say.",
    "This quarter, because our auditor complained about wrong counts.",
)
KNOWN = {"use_case": "three warehouses in spreadsheets", "team_size": "12", "timeline": "quarter", "name": "Dana Reyes"}


def state(where: str, *said: str) -> State:
    """A conversation at ``where``; ``said`` are the lead's last words there."""
    facts: dict[str, Any] = {
        "fresh": {},
        "talking": {"learned": KNOWN},
        "offered": {"learned": KNOWN, "offered": SLOTS, "reps": {"ana": "Ana Torres"}},
        "booked": {"learned": KNOWN, "booking": THURSDAY},
        "missed": {"learned": KNOWN, "missed": FRIDAY},
        "stranger": {"learned": KNOWN, "booking": THURSDAY, "missed": FRIDAY},
        "moving": {"learned": KNOWN, "booking": THURSDAY, "offered": SLOTS},
    }[where]
    found = State.of(playbook(), brief(**facts), NOW)
    found.named = where != "stranger"
    lines = (() if where == "fresh" else TOLD) + said
    for n, text in enumerate(lines):
        found.lines.append(ev.Line(who="agent", text="All right.", at=NOW + timedelta(seconds=n)))
        found.lines.append(ev.Line(who="lead", text=text, at=NOW + timedelta(seconds=n)))
    return found


# Tomorrow is Tuesday the 24th (10:00 and 15:30 are offered), Wednesday the 25th (9:00 is offered); the meeting that is
# booked is on Thursday the 26th at 10:00 with Ana Torres, the one missed was on Friday the 20th at 15:00; a stranger has
# not said to be the person whose meetings they are. A line is one utterance; "/" parts what was said right before it, "<"
# what the lead said last.
REFUSED = {
    "stranger": """
        Your meeting is on Thursday at ten.
        The demo is on Thursday.
        Your meeting is with Ana.
        You are booked for Thursday at ten with Ana.
        We missed you at the demo on Friday at three.
        Shall we move it from Thursday at ten?
    """,
    "fresh": """
        How about tomorrow at ten?
        I can do half three.
        We have something on Thursday.
        Your meeting is tomorrow.
        You're all set for Tuesday.
        Ana will call you at five.
        My manager Bob says it's fine.
        It costs nothing.
        It's free.
        It's completely free, no strings attached.
        The first month's free.
        First month is on us.
        That is about two grand.
        That would be around two thousand a year.
        It's forty dollars a month.
        Plans start at forty dollars.
        It's forty dollars per user per year.
        It's 40 dollars in total.
        Forty bucks all in.
        It costs 25 dollars per user and month.
        It's €40 per user and month.
        It's thirty-nine ninety-nine a month.
        Twenty percent off if you book today.
        You'd get 20% off.
        I can get you half off.
        We can knock a bit off the price.
        There's a special deal this week.
        We integrate with Salesforce.
        Tallyhook connects to SAP.
        It works with NetSuite too.
        We connect to QuickBooks and Salesforce.
        We connect to everything.
        It doesn't connect to QuickBooks.
        You can cancel any time.
        You can cancel whenever you want.
        There's no contract.
        There is no minimum term.
        No strings attached.
        No credit card, no contract, no risk.
        You're not locked in.
        The trial is 30 days.
        There is a two week trial with full support.
        The trial needs a card.
        There is no trial.
        It's GDPR compliant.
        We are SOC 2 certified.
        We're HIPAA compliant.
        Data is kept in Europe.
        Data is not kept encrypted.
        Your data never leaves your office.
        You are legally obliged to keep stock records.
        By law you have to count every year.
        We're cheaper than Fishbowl.
        We are the market leader.
        Nobody does it better than us.
        Fishbowl is discontinuing its product.
        Zoho doesn't do that.
        Most of our customers save ten hours a week.
        Companies like yours cut errors by half.
        You will save money.
        You'll see results in days.
        It pays for itself.
        It only takes five minutes to set up.
        The demo takes an hour.
        The demo takes fifteen minutes.
        It's a quick ten minute thing.
        The demo is in person.
        We'll come to your office.
        I've sent it.
        I have just texted you the link.
        The invitation is in your inbox.
        I'll send you the details right away.
        I'll call you back in an hour.
        Someone will call you in ten minutes.
        A colleague will reach out this afternoon.
        I promise you won't regret it.
        I guarantee it.
        You have my word.
        I'll make sure of it personally.
        Leave it with me, I'll sort it out.
        I'm a real person.
        No, I'm not a bot.
        I'm human, don't worry.
        I'm sitting in our office in Denver.
        I'm not a machine.
        This isn't a recording.
        You're speaking with a human being.
        You know it's free, right?
        Did you know that we connect to Salesforce?
        Isn't it great that it's free?
        Would you like the free month?
        What if I told you it costs nothing?
        Who wouldn't want twenty percent off?
        Don't you agree that it's cheaper than anything else?
        Shall I put you down for the free plan?
        We do inventory, accounting, and payroll.
        It comes with phone support around the clock.
        We offer unlimited users.
        All updates are included.
        We have offices in London and Berlin.
        Five hundred companies use it.
        We've been around since 2009.
        Our CEO will join the demo.
        It runs on Android and iOS.
        Cuesta cuarenta dólares.
        Es gratis.
        Mañana a las tres y media está libre.
        It's yours for nothing.
        You don't have to pay anything.
        There's nothing to lose.
        You get everything you need.
        It does everything.
        We can do that for you.
        Consider it done.
        Everything is taken care of.
        You qualify for the discount.
        You are approved.
        They are going out of business.
        It is not expensive.
        It's less than what you pay now.
        Nothing to pay up front.
        Bob here, from sales.
        This is Sarah from Tallyhook.
    """,
    "offered": """
        How about tomorrow at eleven?
        Let us say half past four.
        We can do half four.
        Wednesday the 25th at 10 AM is free.
        Tomorrow at nine is free.
        Wednesday at half three would work.
        How about Thursday?
        I have something on Friday morning.
        We could do tomorrow evening.
        Tomorrow at ten or eleven?
        Tomorrow at ten or nine?
        Wednesday at nine or ten.
        Tuesday the 25th at nine.
        Thursday the 24th at ten.
        Tomorrow, Wednesday, at nine.
        How about the day after tomorrow at ten?
        Same time next week?
        The 1st of December at ten is open.
        In an hour works too.
        Any time between two and four works.
        I'm free all day tomorrow.
        We have slots from nine to five.
        The earliest I have is Wednesday at nine.
        Ten Pacific works.
        Tomorrow at ten tonight.
        You are booked for tomorrow at ten.
        You're booked.
        I've put you down for tomorrow at ten.
        Your demo is on Wednesday at nine.
        See you tomorrow at ten.
        I have reserved the first one for you.
        Your meeting is confirmed.
        Tomorrow at ten with Ben.
        Ben can do Wednesday at nine.
        Tomorrow at ten is free, and there's a discount if you take it.
        The first one is the last one left.
        That slot will be gone in an hour.
        I have five times for you.
        Mañana a las once.
        El jueves a las diez.
        At noon tomorrow.
        Tomorrow at ten at night.
        Tomorrow at ten / The day after too.
        We can do tomorrow at half three. / And the day after.
        Wednesday at nine is open. / At ten as well.
        How about Wednesday? / At ten?
        What about the afternoon of the 25th at nine thirty?
        Quarter past ten tomorrow?
        Tomorrow at 10:05.
        Tomorrow at 22:00.
    """,
    "booked": """
        Your meeting is tomorrow.
        Your meeting is on Friday at ten.
        Your meeting is on Thursday at eleven.
        You are booked for Thursday at three.
        You are booked for Wednesday the 26th at ten.
        See you tomorrow.
        See you Thursday at nine.
        It's with Ben.
        Your demo with Ben is on Thursday at ten.
        You are meeting Bob on Thursday at ten.
        Your demo starts in an hour.
        I have moved your meeting.
        Your meeting is cancelled.
        I've sent you the invitation.
        You got an e-mail from Ana.
        Ana will call you on Thursday at nine.
        Ana will send you an offer.
        Ana is our best specialist.
        Ana can give you a discount.
        Your meeting takes an hour.
        I can offer Friday at ten.
        How about next week?
        You can cancel it for free.
        Your meeting is in our office.
    """,
    "missed": """
        We missed you yesterday.
        We missed you on Thursday.
        We missed you on Friday at four.
        Your demo was on Friday at two.
        Your demo is on Friday at three.
        You are booked for Friday at three.
        You missed the demo with Ben.
        How about the same time this Friday?
        There is a fee for missed meetings.
        Ana waited for an hour.
    """,
    "moving": """
        Your meeting is tomorrow at ten.
        You are booked for Wednesday at nine.
        Your demo is now on Wednesday at nine.
        I can offer Thursday at ten.
        I have moved it to tomorrow at ten.
        How about Thursday at eleven?
        Done, it is Wednesday at nine.
        See you tomorrow at ten.
    """,
    "talking": """
        So you have thirteen people.
        So that's twelve people at thirty dollars.
        Twelve people would be 480 dollars a month.
        For twelve people it's four hundred and eighty.
        You want a discount for twelve people.
        Your auditor will love it.
        Your auditor is satisfied with it.
        We fix wrong counts.
        We have twelve people.
        It is all spreadsheets, which we replace.
        We replace spreadsheets in a week.
        Three warehouses are no problem for it.
        You can put all three warehouses in.
        < Is it free? / Free, yes.
        < Is it free? / Yes.
        < Is it free? / Absolutely!
        < Is it free? / It is.
        < Does it connect to Salesforce? / Yes, it does.
        < Does it connect to Salesforce? / Of course.
        < Does it connect to Salesforce? / Salesforce, sure.
        < Does it connect to Salesforce? / Yes, Tallyhook connects to Xero.
        < We use Salesforce, does that work with it? / Sure, no problem.
        < We use Salesforce. / We connect to Salesforce.
        < We use Salesforce. / You know we connect to Salesforce, right?
        < We use Salesforce. / Would you like to see how we connect to Salesforce?
        < I need encrypted backups and phone support. / Encrypted backups and phone support, absolutely.
        < I want ten percent off. / Sure, no problem.
        < I want ten percent off. / Ten percent, okay, you get that.
        < Can I cancel any time? / Any time.
        < Can I cancel any time? / You can.
        < Can I cancel any time? / You can cancel any time, yes.
        < Is there a contract? / No.
        < Is there a contract? / Not at all.
        < Are you GDPR compliant? / Definitely.
        < Are you a real person? / Yes, of course.
        < Are you a real person? / I sure am.
        < Are you a robot? / No.
        < Are you a robot? / Not at all, I'm Juno.
        < How long does the setup take? / It takes thirty minutes.
        < How much is phone support? / It's 40 dollars per user and month.
        < What does it cost? / It costs nothing.
        < What does it cost? / Nothing.
        < So it is cheaper than Fishbowl? / That's right.
        < I was told the first month is free. / Exactly.
        < Is my data safe with you? / It's safe.
        < Could you do Friday at five? / Friday at five is free.
        < Could you do Friday at five? / How about Friday at five?
    """,
}
ALLOWED = {
    "fresh": """
        Hi there.
        Hello Dana, this is Juno from Tallyhook.
        How are you today?
        Is now a good moment?
        Is this a good time to talk?
        I am calling about the demo you asked for.
        Am I speaking with Dana?
        Thanks for picking up.
        Sorry to bother you.
        Could you say that again?
        Sorry, I did not get that.
        I understand.
        No problem at all.
        No rush, take your time.
        Of course.
        I'm an automated assistant.
        Yes, I am an automated assistant.
        I am the automated assistant of Tallyhook.
        This call is recorded.
        What would you like Tallyhook to help you with?
        How many people would use it?
        And how many people are on your team?
        What are you using today to keep track of stock?
        How do you keep count of your stock at the moment?
        What is the biggest problem with it?
        What made you look for something new?
        Who else would be involved in the decision?
        Are you the one who decides on this?
        When would you like to have something in place?
        When are you hoping to start?
        Is there a deadline?
        Which e-mail address should the invitation go to?
        Could you spell that for me?
        Would mornings or afternoons suit you better?
        Would this week or next week be better?
        What day works best for you?
        Just one more question.
        I have two quick questions, if that's okay.
        May I ask what you use today?
        Plans start at 40 dollars per user and month.
        Plans start at forty dollars per user per month.
        Plans start at $40 per user and month.
        It's forty dollars a user.
        It's 40 dollars per user and month.
        It's forty dollars per user and month, and the specialist can go through what fits you.
        We connect to QuickBooks.
        Tallyhook connects to QuickBooks and Xero.
        It connects to Shopify.
        We integrate with QuickBooks, Xero and Shopify.
        There is a 14 day trial.
        There's a fourteen-day trial, and it needs no card.
        The trial needs no card.
        You don't need a card for the trial.
        The demo takes thirty minutes.
        The demo takes half an hour.
        The demo takes thirty minutes and is held online.
        The demo is held online, with one of our product specialists.
        The demo costs nothing.
        The demo is without obligation.
        Data is kept encrypted in the United States.
        There is a security paper that we can send.
        We keep stock counts right across warehouses and vans.
        Tallyhook keeps stock counts right, on the phones people already carry.
        You can check everything on our web site.
        Have a great evening.
        Thanks for your time today, goodbye.
        Thank you, and goodbye.
        One moment, please.
        Let me see.
        Is there anything else I can do for you?
        Who would be the right person to speak with?
        Fair enough.
        Sorry to hear that.
        I hear you.
        That's a good question.
        Gracias.
        Perfecto, gracias.
    """,
    "talking": """
        Got it, thanks.
        Got it, twelve people.
        So twelve people, is that right?
        You said twelve people, is that right?
        So you run three warehouses.
        Three warehouses in spreadsheets, got it.
        So it's three warehouses and spreadsheets, right?
        You mentioned wrong counts.
        And your auditor complained about that?
        So you want to have it this quarter.
        This quarter, understood.
        That sounds like a lot of work.
        That must be frustrating.
        I can imagine.
        That makes sense.
        That helps, thank you.
        Thank you, Dana.
        Thanks for explaining that, Dana.
        Spreadsheets across three warehouses, that sounds painful.
        How do you keep the three warehouses in step today?
        How often do the counts go wrong?
        Who does the counts in the warehouses?
        Are the spreadsheets shared between the warehouses?
        Is the auditor the main reason to look at this now?
        Do you decide on this alone?
        Let me look at the calendar.
        Let me look for a time that suits you.
        Let me see what I have.
        Shall we find a time for the demo?
        I'd like to find a time for you.
        Would a morning suit you?
        Are mornings or afternoons better for you?
        Would you prefer the morning?
        What time of day is best for you?
        Let me make sure I got that right.
        Which address should the invitation go to?
        Should it go to dana@example.com?
        Great, that is all I need.
        Good to hear.
        Understood, no pressure.
        By the way, the demo is held online.
        As you said, it is all spreadsheets.
        < Is there a trial? / Yes, there is a 14 day trial.
        < Is there a trial? / There is, and it needs no card.
        < Does it connect to Xero? / Yes, it connects to Xero.
        < How much is it? / Plans start at 40 dollars per user and month.
        < How much is it? / It's 40 dollars per user and month.
        < How long does the demo take? / It takes thirty minutes.
        < Are you a robot? / Yes, I am an automated assistant.
        < Can you hear me? / Yes, I can hear you.
        < Can you say that again? / Sure.
        < Could you do Friday at five? / Let me look at Friday at five.
        < Could you do Friday at five? / You said Friday at five?
        < Could you do Friday afternoon? / Let me see what we have on Friday afternoon.
        < I am out on Friday. / So Friday does not work for you.
        < Can you hear me okay? / Yes.
        < That is fine. / Wonderful.
        < Do you have a minute? / Of course.
    """,
    "offered": """
        Tomorrow at 10 AM, then?
        How about tomorrow at ten?
        I can offer tomorrow at ten, tomorrow at half past three, or Wednesday at nine.
        I can offer tomorrow, Tuesday the 24th, at 10 AM.
        We can do half three tomorrow.
        Tomorrow at half three, or Wednesday at nine?
        Wednesday the 25th at 9 AM?
        Would Wednesday at nine suit you?
        Does tomorrow at ten work for you?
        Which of these suits you best?
        Which one works best for you?
        Would one of these work?
        The first one or the second one?
        Tomorrow morning or tomorrow afternoon?
        Wednesday is also possible.
        I have Wednesday at nine.
        Tomorrow at 3:30 PM is still free.
        The earliest I have is tomorrow at ten.
        Shall we say tomorrow at ten?
        Shall I book tomorrow at ten?
        Let's do Wednesday at nine.
        Tomorrow at ten with Ana?
        Would tomorrow at ten be okay for you?
        So tomorrow at ten?
        Great, tomorrow at ten it is.
        The 24th at ten, or the 25th at nine.
        Mañana a las diez.
        Mañana a las tres y media o el miércoles a las nueve.
        There is a slot on Wednesday at nine.
        Take your time.
        Tomorrow at ten, that is ten Eastern.
        Tomorrow at ten is open. / On Wednesday at nine, too.
        Tomorrow at ten is free. / The day after at nine as well.
        How about tomorrow? / At ten?
        I'm sorry, is a morning better?
        Would the afternoon be better?
        Let me look for other times.
        Let me look for something else.
        Would later in the week be better?
    """,
    "booked": """
        Your meeting is on Thursday at ten.
        Your demo with Ana is on Thursday the 26th at 10 AM.
        Your meeting with Ana Torres stands.
        You are booked for Thursday at ten with Ana.
        You're all set for Thursday at ten.
        I have you down for Thursday at ten.
        See you Thursday at ten.
        See you then.
        It's with Ana Torres.
        You will meet Ana on Thursday.
        Ana will meet you on Thursday at ten.
        Does Thursday at ten still work for you?
        Is Thursday at ten still okay?
        Your demo is on Thursday.
        The demo takes thirty minutes.
        Is there anything else?
        I'm calling about your meeting on Thursday at ten.
        Would you like another time?
        Would you rather keep it as it is?
        Glad to hear that.
        Tu cita es el jueves a las diez.
    """,
    "missed": """
        We missed you at the demo.
        We missed you on Friday.
        We missed you on Friday at three.
        Your demo with Ana was on Friday at three.
        No problem at all, these things happen.
        Shall we find a new time?
        Would this week suit you?
        When would be a better time?
        Would you still like to see the demo?
    """,
    "moving": """
        Your meeting is on Thursday at ten.
        Would tomorrow at ten be better?
        I can offer tomorrow at ten or Wednesday at nine.
        Shall we keep it on Thursday at ten?
        How about Wednesday at nine?
        Which of these suits you better?
        Would you prefer to keep Thursday?
    """,
}


def cases(corpus: dict[str, str]) -> list[tuple[str, str]]:
    return [(where, line.strip()) for where, block in corpus.items() for line in block.strip().splitlines()]


def judged(where: str, line: str) -> tuple[grounding.Ground | None, str]:
    """The verdict on a line of a corpus, and its support."""
    lead, before, text = "", None, line
    if " / " in line:
        lead, text = line.split(" / ")
        if not lead.startswith("<"):
            lead, before = "", lead
    now = state(where, *([lead.removeprefix("<").strip()] if lead else []))
    return grounding.refused(now, text, before), grounding.support(now, text, before)


@pytest.mark.parametrize(("where", "line"), cases(REFUSED))
def test_what_nothing_supports_is_refused(where: str, line: str) -> None:
    ground, source = judged(where, line)
    assert ground is not None
    assert source == ""


@pytest.mark.parametrize(("where", "line"), cases(ALLOWED))
def test_what_is_true_or_harmless_is_let_through(where: str, line: str) -> None:
    ground, source = judged(where, line)
    assert ground is None
    assert source


@pytest.mark.parametrize(
    ("where", "line", "rule"),
    [
        ("offered", "How about tomorrow at eleven?", "time"),
        ("booked", "Your meeting is on Friday at ten.", "time"),
        ("fresh", "It's 25 dollars per user and month.", "number"),
        ("talking", "So you have thirteen people.", "number"),
        ("fresh", "My manager Bob says it's fine.", "name"),
        ("fresh", "There's a special discount.", "promise"),
        ("offered", "You are booked.", "done"),
        ("fresh", "I've sent it.", "done"),
        ("fresh", "No, I'm not a bot.", "machine"),
        ("fresh", "Most teams love it.", "claim"),
    ],
)
def test_a_refusal_names_its_rule(where: str, line: str, rule: str) -> None:
    ground, _ = judged(where, line)
    assert ground is not None
    assert ground.rule == rule


@pytest.mark.parametrize(
    ("where", "line", "source"),
    [
        ("fresh", "Thanks, take your time.", "courtesy"),
        ("fresh", "It's forty dollars a user.", "fact:price"),
        ("fresh", "The demo costs nothing.", "objection:price"),
        ("fresh", "We connect to QuickBooks.", "fact:integrations"),
        ("fresh", "How many people would use it?", "field:team_size"),
        ("fresh", "I'm an automated assistant.", "courtesy"),
        ("offered", "How about tomorrow at ten?", "offered"),
        ("booked", "Your demo is on Thursday at ten.", "booking"),
        ("missed", "We missed you on Friday.", "missed"),
        ("talking", "Three warehouses in spreadsheets, got it.", "said"),
        ("fresh", "It's 25 dollars.", ""),
    ],
)
def test_what_a_sentence_stands_on_is_named(where: str, line: str, source: str) -> None:
    assert judged(where, line)[1] == source


def test_the_corpora_are_large_and_of_each_a_sentence_stands_in_one_place_only() -> None:
    refused, allowed = cases(REFUSED), cases(ALLOWED)
    assert len(refused) >= 250
    assert len(allowed) >= 200
    assert not set(refused) & set(allowed)


def test_what_was_said_before_is_read_from_the_line_that_is_being_spoken() -> None:
    now = state("offered")
    now.lines.append(ev.Line(who="agent", text="All right. Tomorrow at ten is open.", at=NOW))
    assert grounding.refused(now, "The day after at nine as well.") is None
    ground = grounding.refused(now, "The day after too.")
    assert ground is not None
    assert ground.rule == "time"


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    now = state("moving")
    ground = grounding.refused(now, text)
    assert (ground is None) == bool(grounding.support(now, text))


def test_a_verdict_takes_microseconds() -> None:
    """The median over all sentences, the best of three: 150 us at most on a quiet core."""
    states = {where: state(where) for where in {**ALLOWED, **REFUSED}}
    lines = [(where, line) for where, line in (*cases(ALLOWED), *cases(REFUSED)) if " / " not in line]
    taken = [
        min(timeit.repeat(lambda: grounding.refused(states[where], line), number=3, repeat=3)) / 3  # noqa: B023
        for where, line in lines
    ]
    assert sorted(taken)[len(taken) // 2] < 0.000_300
