"""The words of a playbook: what the agent may say, and when."""

from __future__ import annotations

from typing import Literal

from .model import Duration, Strict


class Fact(Strict):
    """Something that the agent may say, word for word approved."""

    text: str
    cues: tuple[str, ...] = ()


class Objection(Strict):
    """A concern, the words by which it is known, and its approved answers, one for each time it comes up."""

    cues: tuple[str, ...]
    answers: tuple[str, ...]
    short: str = ""
    """Enough for a light aside: said the first time, when the words weigh less than ``light``. The talk then goes on."""
    light: float = 0.4
    then: Literal["follow_up", "send_link", "hand_off"] = "follow_up"
    """What is offered once the answers are used up and the concern stays."""


class Interest(Strict):
    """Our words for what somebody asked for, chosen by what their form says: its text itself is never read aloud."""

    when: dict[str, tuple[str, ...]]
    """Field of the form (``source``, ``page``, ``message``, ``utm``, ``utm.campaign``, ``attributes.plan`` ...) -> words,
    one of which stands in it; every field named must have one."""
    say: str
    """What ``{asked}`` is filled with: it follows "about"."""


class Promise(Strict):
    """Our words for what a form promised, said in the first call that keeps it: they fill ``{promise}``."""

    when: dict[str, tuple[str, ...]]
    """As of an :class:`Interest`; the form's own promise is its field ``promise``."""
    say: str
    within: Duration | None = None
    """The promise held for this long ..."""
    late: str = ""
    """... and this is said after it."""


class Language(Strict):
    """A language that the agent does not speak, and how whoever speaks it is met. Words without accents."""

    name: str
    """In ours: "Spanish"."""
    cues: tuple[str, ...]
    """How it is said that they speak it, or do not speak ours."""
    alone: tuple[str, ...] = ()
    """The same where it is all that they say: "Deutsch?"."""
    common: tuple[str, ...] = ()
    """Its commonest words on the telephone, by which it is heard."""
    yes: tuple[str, ...] = ()
    offer: str
    """Somebody who speaks it, offered in it, to whom only seems to."""
    handoff: str
    """Said in it before a person takes over or calls back."""


LANGUAGES = {
    "es": Language(
        name="Spanish",
        cues=(
            "no hablo ingles", "no hablamos ingles", "no se ingles", "no entiendo ingles", "no entiendo el ingles", "habla espanol", "hablas espanol", "hablo espanol",
            "solo espanol", "en espanol", "alguien que hable espanol", "i speak spanish", "only spanish", "in spanish please", "someone who speaks spanish",
            "speak spanish please", "no ingles",
        ),
        alone=("espanol", "spanish", "spanish please", "espanol por favor"),
        common=(
            "hola", "bueno", "buenas", "buenos", "dias", "tardes", "quien", "es", "que", "digame", "si", "no", "senor", "senora", "por", "favor", "habla", "esta", "este",
            "esa", "eso", "de", "la", "el", "los", "las", "un", "una", "con", "para", "como", "donde", "cuando", "yo", "usted", "me", "te", "se", "le", "mi", "su", "lo", "y", "o",
            "pero", "aqui", "ella", "quiere", "quiero", "necesito", "gracias", "perdon", "disculpe", "entiendo", "puede", "llama", "parte", "soy", "estoy", "tengo", "nada", "muy", "bien",
        ),
        yes=("si", "claro", "vale", "correcto", "gracias", "bueno"),
        offer="Perdón, yo solo hablo inglés. ¿Quiere que le llame un colega que habla español?",
        handoff="Disculpe, yo solo hablo inglés. Un colega que habla español se pondrá en contacto con usted. Gracias, adiós.",
    ),
    "fr": Language(
        name="French",
        cues=(
            "je ne parle pas anglais", "parle pas anglais", "je parle pas anglais", "parlez vous francais", "vous parlez francais", "en francais", "je parle francais",
            "i speak french", "only french", "je ne comprends pas l'anglais", "comprends pas l'anglais",
        ),
        alone=("francais", "french", "francais s'il vous plait"),
        common=(
            "allo", "oui", "non", "bonjour", "bonsoir", "qui", "est", "ce", "c'est", "cest", "je", "ne", "pas", "vous", "nous", "a", "l'appareil", "lappareil", "quoi", "monsieur",
            "madame", "merci", "de", "la", "le", "les", "un", "une", "et", "que", "qu'est", "pour", "moi", "mais", "suis", "comprends", "parle", "parlez", "appelle", "pardon", "il", "elle", "en",
            "plait", "sil",
        ),
        yes=("oui", "ouais", "d'accord", "daccord", "merci"),
        offer="Pardon, je ne parle qu'anglais. Voulez-vous qu'un collègue qui parle français vous rappelle?",
        handoff="Excusez-moi, je ne parle qu'anglais. Un collègue qui parle français vous contactera. Merci, au revoir.",
    ),
    "de": Language(
        name="German",
        cues=(
            "ich spreche kein englisch", "spreche kein englisch", "kann kein englisch", "sprechen sie deutsch", "auf deutsch", "spricht jemand deutsch", "ich spreche deutsch",
            "verstehe kein englisch", "i speak german", "only german", "nur deutsch",
        ),
        alone=("deutsch", "german", "deutsch bitte"),
        common=(
            "guten", "tag", "morgen", "hallo", "wer", "ist", "da", "dort", "bitte", "ja", "nein", "ich", "hier", "was", "wollen", "sie", "und", "der", "die", "das", "ein", "eine",
            "nicht", "kein", "keine", "wie", "wo", "mit", "von", "mir", "mich", "wir", "es", "bin", "sind", "haben", "habe", "verstehe", "spricht", "danke", "worum", "geht", "am", "apparat", "moechten",
        ),
        yes=("ja", "gerne", "genau", "danke", "jawohl"),
        offer="Verzeihung, ich spreche nur Englisch. Soll Sie jemand anrufen, der Deutsch spricht?",
        handoff="Verzeihung, ich spreche nur Englisch. Jemand, der Deutsch spricht, meldet sich bei Ihnen. Danke, auf Wiederhören.",
    ),
    "pt": Language(
        name="Portuguese",
        cues=("nao falo ingles", "nao falamos ingles", "fala portugues", "falo portugues", "em portugues", "i speak portuguese", "nao entendo ingles"),
        alone=("portugues", "portuguese"),
        common=(
            "alo", "quem", "fala", "esta", "bom", "boa", "dia", "tarde", "nao", "sim", "por", "favor", "voce", "que", "e", "o", "a", "os", "as", "um", "uma", "de", "do", "da", "com",
            "para", "eu", "obrigado", "obrigada", "senhor", "senhora", "falando", "entendo", "quero",
        ),
        yes=("sim", "claro", "isso", "obrigado", "obrigada"),
        offer="Desculpe, eu só falo inglês. Quer que um colega que fala português ligue para você?",
        handoff="Desculpe, eu só falo inglês. Um colega que fala português entrará em contato. Obrigado, até logo.",
    ),
    "it": Language(
        name="Italian",
        cues=("non parlo inglese", "parla italiano", "parlo italiano", "in italiano", "i speak italian", "non capisco l'inglese", "non capisco inglese"),
        alone=("italiano", "italian"),
        common=(
            "pronto", "chi", "parla", "buongiorno", "buonasera", "sono", "non", "si", "no", "per", "favore", "che", "e", "il", "la", "un", "una", "di", "con", "cosa", "vuole",
            "io", "lei", "grazie", "scusi", "capisco", "signore", "signora", "come", "dove",
        ),
        yes=("si", "certo", "va bene", "grazie"),
        offer="Mi scusi, parlo solo inglese. Vuole che la richiami un collega che parla italiano?",
        handoff="Mi scusi, parlo solo inglese. Un collega che parla italiano la contatterà. Grazie, arrivederci.",
    ),
    "other": Language(
        name="another language",
        cues=(
            "i do not speak english", "i not speak english", "we do not speak english", "no speak english", "i do not speak any english", "not speak much english", "i do not understand english",
            "no english", "my english is not good", "my english is very bad", "my english is bad", "i speak no english", "not speaking english", "do not speak good english",
        ),
        offer="Would you like a colleague who speaks your language to call you?",
        handoff="No problem. A colleague who speaks your language will call you. Thank you, goodbye.",
    ),
}  # fmt: skip
"""Those that are met without a word in the playbook, by their codes: the commonest foreign ones of our leads."""

OPENINGS = {
    "outreach": "our first call",
    "again": "a later call of ours, after one that reached nobody",
    "inbound": "they ring us",
    "known": "they ring us, and we have talked before",
    "callback": "the call that they asked for",
    "recovery": "after a missed meeting",
    "booked": "we call somebody who has a meeting",
    "confirm": "we call somebody who has a meeting and has not confirmed it",
    "reschedule": "somebody who has a meeting rings us",
    "broken": "we ring again at once, since the call broke off",
    "not_picked_up": "the colleague to whom they were put through did not pick up",
}
"""The kinds of call that begin with words of their own."""
STANDINGS = {
    "customer": "our first call to somebody whom the CRM knows as a customer",
    "open_deal": "our first call to somebody with whom a deal is open",
}
"""Kinds that a playbook may have words for, where ``crm`` says that they are called with an opening of their own."""


class Speech(Strict):
    """The playbook's own words: spoken as they stand, with ``{placeholders}`` filled from the state."""

    disclosure: str
    recording: str
    opening: dict[str, str]
    """By the kind of call, see :data:`OPENINGS`."""
    offer: str
    no_slots: str
    slot_taken: str
    booked: str
    moved: str
    cancelled: str
    handoff: str
    not_fit: str
    not_interested: str
    opted_out: str
    wrong_person: str
    callback: str
    """The promise of a call, ``{time}`` as the rules allow it."""
    voicemail: str
    confirm_later: str
    """Said in place of anything that is not grounded."""
    paused: str
    goodbye: str
    silence: tuple[str | tuple[str, ...], ...]
    """What is said at each step of a silence, from reassuring to a graceful close; several wordings of one step are
    used in turn, so that none is said twice. ``{question}`` is the open question in other words."""
    filler: tuple[str, ...] = ("Let me see.", "One second, please.")
    too_long: str
    robot: str = "Yes, I am an automated assistant; a person joins you at the meeting."
    """The answer to "are you a robot": never denied (Cal. SB 1001, Me. LD 1727)."""
    moment: str = "One moment, please."
    """Said while a calendar is asked."""
    which: str = "Which of these do you mean: {slots}?"
    link_sent: str = "You get a text with the link in a moment. Is there anything else?"
    nearest: str = "Nothing is free then, but I can offer {slots}. Would one of these suit you?"
    """When no slot lies in the span that was asked for."""
    only: str = "I can offer {slots}. Would that suit you?"
    """In place of ``offer`` and ``which`` when there is one time alone ..."""
    nearest_only: str = "Nothing is free then, but I can offer {slots}. Would that suit you?"
    """... and of ``nearest``."""
    when: str = "When would be a better moment to call you?"
    absent: str = "When would be a good moment to reach {name}?"
    """In place of ``when``, to somebody who answers for the one whom we want."""
    callback_moved: str = "I am not able to call you then. The first moment that I can is {time}. Does that suit you?"
    """In place of ``callback``, where the rules put off the moment that they named."""
    again: str = "Sorry, I did not get that. Could you say it again?"
    screened: str = "This is {agent}, the automated assistant of {company}, for {name}, about {purpose}."
    """To a call-screening service: who calls and why, in one line."""
    resumed: str = "Sorry, we were cut off."
    already: str = "Your meeting with {rep} stands: {time}."
    not_booked: str = "I see no meeting of yours in our calendar yet."
    """They say that they have booked, and the ledger knows of nothing."""
    tasked: str = "I will have someone confirm that for you."
    """A person was asked to look something up (``task``); the call goes on."""
    referred: str = "Thank you, we will take it up with them. I will not call you about this again. Goodbye."
    """Somebody else is the right one (``refer``)."""
    who: str = "Who would be the right person to speak with?"
    transfer: str = "One moment, I am putting you through to {rep}."
    """Before the call is put through to a person; ``{rep}`` is their name."""
    whisper: str = "{company} here. {name} is on the line, about {asked}. Press any key to take the call."
    """What the colleague hears before they take it."""
    complaint: str = "I am sorry about that. I will have a colleague take it up with you personally."
    read_back: str = "You said {value}, is that right?"
    """Before something doubtful is relied on; ``{value}`` as it was understood."""
    address_by_text: str = "I will text you; please answer with the address. Until then it stays as it is on record."
    """Their e-mail address could not be made out."""
    soothe: str = "I am sorry about that. I am calling about {asked}. If you would rather have a colleague take this up with you, just say so."
    """Once, to somebody who is angry at being called."""
    approval: str = "I have to check that with a colleague first. You get a text as soon as it is settled."
    """The action is left to a person (``propose``)."""
    wait: str = "Of course, take your time."
    """To somebody who asks for a moment."""
    now_call: str = "You have me on the line now, so let us settle it right away."
    """They ask for a call now, in the call."""
    which_day: str = "Which day would suit you?"
    unknown: str = "That I cannot say for certain."
    """A person was to be asked, and that did not work: nothing is promised."""
    sure: str = "Just so that I get it right: is that what you want?"
    """They asked for something, and not clearly enough to do it."""
    confirm_name: str = "Just to be sure, am I speaking with {name}?"
    """Before a meeting is told, moved or cancelled."""
    soften: str = "Good to hear."
    """A concern went away: said once, before the talk goes on."""
    late: str = "Thank you for telling me. I have told {rep} that you come about {minutes} minutes late; the link stays the same."
    """They run late; ``late_somehow`` when they do not say by how much."""
    late_somehow: str = "Thank you for telling me. I have told {rep} that you are running late; the link stays the same."
    soon: str = "Thank you, I have told {rep} that you are on your way in."
    here: str = "Thank you, I am telling {rep} right now that you are there."
    """They are in the room already, or wait in it."""
    unable: str = "No problem, thank you for telling me."
    """They cannot come to the meeting; other times follow."""
    join_sent: str = "I am sending you the way into the meeting right now."
    about: str = "It is about {asked}."
    """With the disclosure, to who asks who this is; then ``about_meeting``, if there is one, and how to stop it."""
    about_meeting: str = "You have a meeting with {rep}: {time}."
    way_out: str = "If you want no more calls, just say stop."
    way_out_by_text: str = "If you want no more messages, reply STOP."
    will_come: str = "Will you be there?"
    """The question of a call about a meeting that was not confirmed."""
    confirmed: str = "Thank you, {rep} expects you {time}. Goodbye."
    link_only: str = "I will text you the link, and you can pick a time there whenever you like. Thank you, goodbye."
    """They want the link and nothing else."""
