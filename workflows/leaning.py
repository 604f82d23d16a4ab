"""Words that lean towards taking consent back or away from it, weighed all together.

The last resort of the second tier (:mod:`.doubt`), and a check on the rules of both. Rules find the wordings that somebody
thought of; one in five of those that nobody did pass them by, and one in twenty of the words that only sound so trips
them. Here each feature of a sentence has a weight, learned from what the tests' corpora
hold (``tests/bench/leaning.py`` learns and writes them to ``leaning.json``): its words without their endings, pairs of
neighbours, the letters of each word four by four (which outlive a slip of the pen), and the kinds of words that follow
one another ("not" before "reach" before "ever"), in English, Spanish, French, German and Portuguese.

Weights are whole numbers and nothing is drawn by lot: the same words always come out the same, also on a replay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from math import inf, sqrt
from pathlib import Path

from .spelling import mended
from .tokens import tokens
from .words import remembered

_KINDS = {
    "not": "not no never nobody none nothing neither nor nunca jamas ni ne pas jamais rien nicht kein keine keinen nie niemals nao nenhum without zero"
    " refus* declin* reject*",
    "end": "stop* quit* ceas* desist* halt* discontinu* end ends ended ending terminat* kill* abstain* refrain* arret* cess* aufhor* hor par pare paren parad*"
    " parem bast* deten* dej* deix* schluss suspend* silenc* mute* conclud* conclus* knock finish*",
    "drop": "remov* delet* eras* purg* strike scratch scrub wip* expung* unsub* unlist* dele destroy* forget shred* lose loose block* deregist* supprim* effac*"
    " retir* enlev* quit* sac* borr* elimin* losch* entfern* streich* abmeld* desinscri* desuscri* desabon* apag* remova tir* baja exclu* off out opt optout"
    " cancel* withdraw* revok* rescind* deactivat* disabl* suppress* cut",
    "reach": "call calls called calling phone* phoning ring* rung dial* text texts texting texted texto* messag* email* mail* mailing* contact* writ* wrote"
    " voicemail* reach* outreach ping* communicat* correspond* newsletter* notification* solicit* robocall* follow* touch hear hearing heard spam* llam*"
    " mensaj* correo* escrib* appel* rappel* ecri* envoy* courriel* anruf* ruf* schreib* nachricht* kontakt* lig* mensag* escrev* mand* envi* sms visit*"
    " pest* sequence campaign* marketing promotion* advert* update* reminder*",
    "keep": "list lists liste lista database datab* system* file files record* registr* register crm data datos daten donnees dados info information details"
    " coordonnees nummer numero number name address base dialer rolodex books consent* permission* authori* approval subscription* einwilligung privacy",
    "sore": "sick tired fed annoy* irritat* bother* pester* harass* hound* stalk* badger* bug bugging nag* nuisance pest intrus* invad* invas* unwanted"
    " unwelcome unsolicited junk scam* creep* ridic* enough already hate hated crap damn* fuck* shit* bloody hell stupid idiot* moron* asshole* jerk* pathetic"
    " desperate rude obnoxious relentless persistent exhaust* molest* hart* cans* fastidi* harcel* emmerd* nerv* genug belastig* chega bast* disgust* angry"
    " furious upset insan* ugh argh wtf stfu ffs please beg begging christ god jesus",
    "law": "law lawyer* attorney* legal* illegal* unlawful* violat* breach* tcpa fcc ftc gdpr ccpa rgpd dsgvo lgpd cnil sue suing court complaint* complain*"
    " report* police regulat* statut* claim* damages fine fines avocat* anwalt* abogad* advogad* denunci* demand* authority authorities article notice formal*"
    " hereby ombudsman bbb dnc registry",
    "gone": "died dead deceased passed moved left leaving departed retired sold divorc* bankrupt* closed hospital hospice cancer elsewhere",
    "me": "me m us my our mine we i myself mi nos nuestro moi nous mon ma notre mir mich uns mein* meu minha",
    "you": "you your yours yourself ya people guys folks company team robot* bot bots machine* colleague* anyone anybody usted* ustedes tu su vous votre vos sie"
    " ihr* voce* voces",
    "ever": "again anymore ever forever further future more additional another longer rest permanently always good mas plus encore mehr mais weiter* nie wieder"
    " futur* indefinitely",
    "when": "today tomorrow tonight monday* tuesday* wednesday* thursday* friday* saturday* sunday* morning* afternoon* evening* noon midday week weeks month"
    " months hour hours minute* pm later earlier early late now yet before after until till when while oclock time times lunes martes miercoles jueves"
    " viernes sabado domingo manana tarde hoy demain lundi mardi mercredi jeudi vendredi matin soir morgen montag dienstag amanha segunda",
    "meet": "meeting* appointment* demo demos invite* invitation* slot* calendar* booking book booked schedul* reschedul* agenda zoom link links session webinar"
    " event cita reunion rendez rendezvous termin confirm* attend* join*",
    "trade": "price* cost* product* feature* plan plans trial* customer* client* lead leads vendor* competitor* contract* budget* software tool* app integration*"
    " api sales rep reps support users user staff invoice* quote* fee package onboarding",
    "other": "instead rather better best prefer* easier but only just except unless if because",
    "ask": "what who how why where which whose can could does do did is are will would should",
    "thanks": "thanks thank you great perfect awesome lovely sounds good sure okay yes fine happy glad nice",
    "want": "want* wish* like need* would prefer ask* request* demand* insist* quiero deseo queremos veux voudrais souhait* mochte will quero gostaria",
    "leave": "leave leaving alone peace quiet away be lost bye goodbye paz tranquil* paix ruhe",
}  # fmt: skip
"""Words with one role; ``word*`` is every word that begins so. Accents are gone by then."""
_WHOLE: dict[str, set[str]] = {}
_BEGIN: dict[str, set[str]] = {}
for _kind, _words in _KINDS.items():
    for _word in _words.split():
        (_BEGIN if _word.endswith("*") else _WHOLE).setdefault(_word.rstrip("*"), set()).add(_kind)
_LONGEST = max(map(len, _BEGIN))

_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e")
_ELISION = re.compile(r"\b([mltdsnjc]|qu)'(?=[aeiouyéèêàâîôûh])")
"""French "m'appelez", "d'envoyer"."""
_STOPS = frozenset(".?!;")
_PAUSES = frozenset(",:-")
_NEAR = 4
"""So many words on, one kind still belongs to another."""
_LETTERS = 4
_SHORT_TEXT = 30
"""A text of up to so many words is also read as one sentence: "No. More. Calls."."""
_ENOUGH = -0.5
"""From here on it leans enough for doubt, whatever the rules say."""
_NOT_CERTAIN = -0.5
"""Beneath it not even a rule makes it certain."""
_NOT_DOUBTFUL = -2.0
"""Beneath it a rule that only doubts is mistaken. All three were chosen among lines that the weights were not learned from
(``tests/bench/leaning.py``)."""
_A_FEW = 4
"""In so many words, or fewer, there is no room for what would explain a rule's words away."""
_FOR_MORE = 0.15
"""By so much each further sentence has to lean more: in a long letter any one may by chance."""
_MOST_MORE = 6

_learned = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_BIAS: int = _learned["bias"]
_WEIGHTS: dict[str, int] = _learned["weights"]
UNIT = 10
"""So much in the file is 1."""


def leans(text: str) -> bool:
    """Whether what ``text`` says, in whatever words, leans towards a revocation far enough for doubt."""
    return _lean(text)[1] > _ENOUGH


def contradicts(text: str, certain: bool) -> bool:
    """Whether what ``text`` says leans so far away from a revocation that a rule is not to be believed: one that is
    ``certain`` of it, or one that has its doubts."""
    return len(text.split()) > _A_FEW and _lean(text)[0] < (_NOT_CERTAIN if certain else _NOT_DOUBTFUL)


@remembered
def _lean(text: str) -> tuple[float, float]:
    """How far the sentence of ``text`` leans that leans furthest, and how far that is beyond what chance explains."""
    said = sentences(text)
    furthest = max(map(_weight, said), default=-inf)
    return furthest, furthest - margin(said)


def margin(said: Sequence[Sequence[str]]) -> float:
    """How much further one of the sentences ``said`` has to lean than if it stood alone."""
    return _FOR_MORE * min(len(said) - 1, _MOST_MORE)


def sentences(text: str) -> list[tuple[str, ...]]:
    """The sentences of ``text`` in words, with "," where there is a pause and "?" behind a question, and a short text of
    several once more as one."""
    found: list[list[str]] = [[]]
    for token in tokens(_ELISION.sub(r"\1 ", mended(text))):
        if token in _STOPS:
            if token == "?":
                found[-1].append("?")
            found.append([])
        else:
            found[-1].append("," if token in _PAUSES else token)
    said = [tuple(sentence) for sentence in found if any(word not in ",?" for word in sentence)]
    whole = tuple(word for sentence in said for word in sentence)
    return [*said, whole] if len(said) > 1 and len(whole) <= _SHORT_TEXT else said


def features(sentence: Sequence[str]) -> set[str]:
    """What is weighed of one of :func:`sentences`: ``w`` words, ``b`` two in a row, ``c`` letters, ``k`` kinds, ``o`` one
    kind soon after another, ``n`` the length."""
    words = [word for word in sentence if word not in ",?"]
    row = ["^", *map(_stem, sentence), "$"]
    found = {f"w {stem}" for stem in row[1:-1]}
    found.update(f"b {one} {next_}" for one, next_ in pairwise(row))
    for word in set(words):
        found.update(_letters(word))
    kinds = [_kinds(word) for word in words]
    for i, here in enumerate(kinds):
        for kind in here:
            found.add(f"k {kind}")
            found.update(f"o {kind} {later}" for soon in kinds[i + 1 : i + 1 + _NEAR] for later in soon)
    found.add(f"n {min(len(words).bit_length(), 5)}")
    return found


def _weight(sentence: Sequence[str]) -> float:
    found = features(sentence)
    return (_BIAS + sum(_WEIGHTS.get(feature, 0) for feature in found) / sqrt(len(found))) / UNIT


def _kinds(word: str) -> tuple[str, ...]:
    found = set(_WHOLE.get(word, ()))
    for end in range(2, min(len(word), _LONGEST) + 1):
        found |= _BEGIN.get(word[:end], set())
    return tuple(sorted(found))


def _stem(word: str) -> str:
    if len(word) <= 4 or not word.isalpha():
        return "#" if word.isdigit() else word
    ending = next((ending for ending in _ENDINGS if word.endswith(ending)), "")
    stem = word[: len(word) - len(ending)] if len(word) - len(ending) >= 3 else word
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem


def _letters(word: str) -> frozenset[str]:
    if len(word) < 3 or not word.isalpha():
        return frozenset()
    whole = f"<{word}>"
    return frozenset(f"c {whole[i : i + _LETTERS]}" for i in range(len(whole) - _LETTERS + 1))
