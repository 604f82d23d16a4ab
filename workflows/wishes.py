"""What somebody wants of us, told apart by local rules: one of a dozen wishes that each lead somewhere else.

Like :mod:`.reading`, plain functions over English text, the same for calls and texts. A wish that is not clearly
there is none: the language model, or the question that was open, then decides. The rules are made of parts
(:mod:`.parts`), so that they understand what can be said with those parts, not a list of sentences.
"""

from __future__ import annotations

import re
from typing import Literal

from .grammar import Rules, spoken
from .parts import GRAMMAR
from .reading import asks_cancel, asks_move, is_hesitating_yes, is_opt_out
from .tokens import tokens
from .words import remembered

Wish = Literal[
    "",
    "stop",
    "complaint",
    "person",
    "robot",
    "wrong_number",
    "referral",
    "already_booked",
    "call_now",
    "link",
    "cancel",
    "move",
    "later",
    "not_interested",
    "maybe",
]
"""``stop``: no more contact. ``referral``: somebody else is the right one. ``call_now``: ring again this moment.
``later``: at another time. ``maybe``: a yes with doubt in it. The others say what they mean."""

_rules = GRAMMAR.rules
_cuts = GRAMMAR.cuts


# ---- who speaks -----------------------------------------------------------------------------------------------------

_ROBOT = _rules(
    "(are|r|were) <you> {<adv>|not|for} [<their_det>] {<adv>} <machine>", "is it [<their_det>] {<real>} (<machine>|<human>|person) {that} (i am|i|we are|talking|speaking)", "(on the (phone|line|call) with|called by|call from) [<their_det>] <machine>", "(did|is|was|has) <their_det> <machine> {just|now|really|actually} (call*|ring*|rang|phon*|talking|speaking|talk|speak)",
    "(are|is) not {<adv>} [<their_det>] {<real>} (person|<human>|human) $", "voice {<adv>} (generated|synthetic|recorded|fake|artificial|real|computer*|automated)", "not {<adv>} (sound|seem|feel) {<adv>} like [<their_det>] (<human>|person)",
    # are you really a bot; is this one of those machines; you are not human, are you; you sound like a computer
    "(are|r|were|is|was) (<you>|this|that) {<adv>|not|for} [<their_det>] {<adv>} (<machine>|human [being]|<real> <human_noun>|real [or|right|are you|voice] ($|<machine>)|person|woman|man|real or)"
    " !(offer|system|tool|product|demo|company|count|we|you can|for|resources|who|that|reader|shop|part)",
    "^ <you> {<adv>|not} [<det>] [<real>] (<machine>|human [being]) [or ~] $",
    "(this|that|it) (is|was) {<adv>|not} [<their_det>] <machine> [voice|call|caller|thing|person|or something] (right|is not it|is it not|no|huh|are not you|or what)",
    "<you> are {<adv>|not} [<their_det>] {<adv>} (<machine>|human [being]|<real> <human_noun>|real (right|are you|$))",
    "(talking|speaking|chatting|dealing|am|on|got) (to|with|on with) ~ [<their_det>] (<machine>|<human>|person|man|woman) !(that|who|i|we|tool|in)",
    "(sound|sounds|sounding|talk|talks|speak|speaks|feel|feels|seem|seems) {<adv>} [like] {<adv>} [<det>] <machine>",
    # do I have a real person on the line; is there a human there; anybody real there
    "(do i have|have i got|did i get|is there|is that|is anyone|is anybody|is someone|is|^) {<adv>} [<their_det>] <human> [there|here] [on|at|behind] [<adv>] [the|this|it] [other] [end of the] [line|phone|call|end|side|or] $",
    "is (this|that|<det> (call|voice|line)) {<adv>} [<det>] (real (call|person|voice)|<machine>) [call|line|or|right|$]",
    "<have> <you> [got] a (pulse|heartbeat|soul)", "do you have [got] a (pulse|heartbeat|soul)",
    "(es|eres|estoy hablando con|hablo con) [usted|tu] [un|una] (robot|maquina|persona real|grabacion|contestador)",
)
_MACHINES_OF_THEIRS = _cuts(
    "(talking|speaking|chatting) (to|with) (real|actual|your) people", "is (this|that|it) [<det>] real (offer|company|thing|discount)"
)


_RECORDED = _rules(
    "(is|are|am|was|were|will) (this|that|it|we|i|they|everything|<det> (call|line|conversation|talk|phone call)|you) {<adv>|being|going to be|be|getting|also} (recorded|taped|monitored|transcribed)",
    "(are|were) <you> {<adv>} (recording|taping|monitoring|transcribing) [me|us|this|it|that|<det> (call|conversation)] $",
    "(do|did|will|would) <you> {<adv>} (record|tape|monitor|transcribe) (me|us|this|it|that|these|all|<det> (call|calls|conversation))",
)


@remembered
def asks_recorded(text: str) -> bool:
    """Whether they ask if the call is recorded; it is never denied."""
    return _RECORDED.found_in(spoken(text))


@remembered
def asks_robot(text: str) -> bool:
    """Whether they ask if a machine is talking; it is never denied."""
    return _ROBOT.found_in(_MACHINES_OF_THEIRS.cut_from(spoken(text)))


_OF_OURS = "[<their_det>] {<real>|different} <staff>"
_PERSON = _rules(
    "(get|put|bring) (someone|somebody|<human>|<their_det> <staff>) [else] (on|to (talk|speak|call|help))", f"(do you have|have you got|you got) {_OF_OURS} {{there|that|who}} <i> (can|could) (talk|speak)", "(pongame|comuniqueme|paseme|comunicame) con",
    f"(speak|talk|chat|deal|speaking|talking|dealing|have a (word|chat)|get in touch|have a conversation) {{directly|instead|please}} (to|with) {_OF_OURS} !(first|before|here|in my|else here|on our side|on my|like you)",
    "(want|need|like|prefer|rather|let me|wish|can i|could i|may i) ~ (speak|talk|deal|have a word) {directly} (to|with) [<their_det>] ~ (<staff>|<human>) !(first|before|in my|here)",
    "(transfer|connect|switch|escalate|redirect|route) (me|us|this call|the call|this) [please|now|over|through|$]",
    f"(put|pass|patch|hand|pop) (me|us) {{over|on|through|across|up|straight|back}} (to|with) {_OF_OURS}",
    "(put|patch|pass) (me|us) (through|over) [please] $",
    "(put|get|bring|find|fetch|grab|give|hand) {me|us} [on] (<their_det>|my) {<real>} (<staff>|<human>) [on|please|on the (line|phone)|in]",
    "(put|get|bring|find|fetch|grab|give|hand) (me|us) {<real>} (<staff>|<human>)",
    f"<asking> (get|have|let|ask) {_OF_OURS} [from _] [to] (call|contact|ring|phone|speak|talk|come|take over|<their_det>)",
    "(have|get|let) [<their_det>] {<real>} <staff> [from _|of yours] (call|contact|ring|phone) !([<me>] <now>)",
    f"(can|could|would|will) {_OF_OURS} [of yours|from [your|the] _|real] (call|contact|ring|phone|talk to|speak to|speak with|talk with) <me> !(<now>)",
    "(is|are) there [<their_det>] <human> {there|here} {that|who} <i> (can|could|may) (talk|speak|chat|deal)",
    f"(is|are) [there] {_OF_OURS} {{there|here|around|available|free|real|else|in}} {{that|who|to}} (i|we|me) (can|could|may) (talk|speak|chat|deal)",
    "(is|are) (there|<their_det>) [<their_det>] <human> [i|we] [can|could] (talk|speak|available|around|free|to talk)",
    "(is|are) [there] (a|an|the|your|any) {<real>} <staff> (around|available|free|in|about) [today|now|please] $",
    "(want|need|prefer|would like|rather have|rather) [<their_det>] <human>", "(want|need|prefer|like) [<their_det>] (representative|supervisor|operator|agent|manager) $",
    "^ [<their_det>|get me|give me] (human [being]|operator|representative|agent|<real> <human_noun>|person|supervisor|customer service|sales [team]|customer support) [please|now|right now|immediately|representative|operator|agent] $",
    "<human> please", "(who|anyone|anybody|someone) [else] [can|could] (i|we) (speak|talk) to (that|who) (is|are) not",
    "(not|rather not|hate|stop) {<adv>} [want to|wanting to|going to|like to|like] (talk|talking|speak|speaking|deal|dealing) (to|with) [<their_det>] <machine> ~ (<staff>|<human>)",
    "(prefer|rather) (talking|speaking|talk|speak|dealing|deal) (to|with) {<real>} (people|<human>|person|someone|somebody)",
    "(speak|talk|connect|transfer|put) ~ (real|actual|your) people",
    "(hablar|hable|comunicarme|comuniqueme|paseme|paseme) [con] [un|una|alguna|algun|el|la] (persona|humano|alguien|agente|representante|operador|operadora|supervisor|gerente)",
)  # fmt: skip
_THEIR_OWN = _cuts(
    "(am i|are we|i am|we are) {<adv>} (speaking|talking|chatting|dealing) (to|with) [<det>] {<real>} _",
    "(i|we|let me) {just|still|first|will|would|might|really|do} [need to|have to|want to|got to|ought to|need|had] {just} (talk|speak|check|discuss|ask|consult|talked|spoke|spoken|met|sit down|run) {it|this|that|over} [to|with|by|past] (my|our|him|her|them|a colleague of yours)",
    "(talk|speak|check) (to|with) (my|our|him|her)",
)
"""Whom they talk to themselves, or did: nobody is asked for."""


@remembered
def asks_person(text: str) -> bool:
    """Whether they ask for a human being."""
    return _PERSON.found_in(_THEIR_OWN.cut_from(spoken(text)))


# ---- what they have against us --------------------------------------------------------------------------------------

_COMPLAINT = _rules(
    "my (lawyer|attorney|solicitor) (will|is|would)", "<you> [guys|people] promised ~ (and|but) (never|nobody|no one|nothing|did not|you)", "(terrible|awful|horrible|bad|worst|appalling|dreadful|poor) (experience|service|treatment|customer service) (with|from|of|by|at) (you|your)", "(wasted|wasting|waste of) my time", "(feel|felt|am feeling) {very|really|completely} (cheated|lied to|ripped off|misled|scammed|ignored|let down|harassed|deceived)",
    "(you|your (company|people|rep|guys|team|salesman)) {have|just|all} (lied|cheated|scammed|misled|deceived|tricked|ripped <me> off)",
    "(have|got|make|making|file|filing|lodge|raise|register|put in|submit|log) (a|an|another|one|this|my) {formal|official|serious|very} complaint", "^ [formal|serious] complaint",
    "(want|like|need|going|have|here|calling|wish|do i|can i|where do i|how do i|who do i) [to|can] complain",
    "(this|that|it) (is|was|has been) {<adv>|getting|becoming|bordering on|just|an|a} (harassment|harassing|unacceptable|outrageous|ridiculous|disgraceful|disgrace|outrage|disgusting|not acceptable|not okay|appalling|shambles|shameful|scandalous|not good enough|beyond a joke) "
    "!(value|price|amount|deal|number|low|good|cheap|fast|how (often|many|much|fast|well|long|bad))",
    "(going|will|have|shall|want|be|am) {to|be} (report|reporting|sue|suing) (you|this|your|it)", "(reporting|suing) you",
    "(going|will|take|taking|complain|report|complaining|go|heading|straight|be|am|it|this) {be|to|you|this|it|straight|going|writing|in touch with} (to|with) the (ftc|fcc|ico|ofcom|ombudsman|authorities|police|bbb|better business bureau|regulator|regulators|attorney general|trading standards|press|papers|state)",
    "(call|calling|contact|hear from|hearing from|talk to|talking to|get|getting|tell|involve|speak to|have) my (lawyer|lawyers|attorney|solicitor|solicitors) [involved|on]",
    "(leave|leaving|write|writing|post|posting|give|giving) [you|a|an|this|your company] {very|really|a} (bad|terrible|awful|negative|one star|1 star|horrible|scathing|stinking) review",
    "(am|are|was|not|feel|really|very|so|extremely|getting|got) {<adv>|quite|extremely|not|very} (unhappy|upset|angry|furious|disappointed|annoyed|fed up|frustrated|disgusted|livid|pissed [off]|not happy [at all]|sick [and tired]|appalled|had enough|irritated|outraged|not [very|at all|too|best] (happy|pleased|impressed)) "
    "[at all] (with|about|at|by|of|in|that) {all|the} (you|your|how|the (way|service|treatment|response|company|attitude|person|guy)|this|that|these|those|what happened|being|getting)",
    "(not|very|really) {<adv>|at all|too} (happy|pleased|impressed) {<adv>|at all} (with|about|by|that) (you|your|how|the (way|service)|this|these|what|being|any of)",
    "[i am] (sick|tired|sick and tired|fed up) (of|with) (you|your|these|this|getting|being|all|people like)",
    "(your|you (guys|people|lot)|<you>|the (service|way i was treated|last (guy|person|call))) ~ (was|were|is|are|has been|have been) {<adv>|incredibly|extremely|such|a|an} (rude|awful|terrible|horrible|unacceptable|disrespectful|useless|incompetent|appalling|nightmare|disgrace|joke|shocking|dreadful|disgusting|unprofessional|abysmal|atrocious|pathetic|liars|crooks|scammers|bunch of)",
    "(guy|man|woman|lady|person|rep|agent|one|someone|somebody|colleague|salesman|girl|he|she|specialist|team|people) [of yours|there] [who|that] {i|we|had|last} (spoke|talked|dealt|called|rang|phoned|dealt) ~ (was|were) {<adv>|incredibly|extremely} (rude|awful|terrible|horrible|disrespectful|useless|abusive|unhelpful|aggressive|dismissive|condescending|unprofessional|arrogant|pushy)",
    "(nobody|no one|your (rep|guy|specialist|salesperson|colleague|person|man|team)|somebody|someone) {ever|even|has|have|of you|was} (showed up|turned up|shown up|called [me] back|never (showed|came|called|turned|rang|picked)|(did|does) not (show|come|call|turn|answer)|supposed to ~ (but|and) (never|did not|nobody)|bothered to)",
    "(was|were) (promised|told) {_} ~ (and|but) (got|received|heard) nothing",
    "(was|were|been|got|have been) (promised|treated|lied to|charged|overcharged|ripped off|scammed|ignored|misled|billed) ~ (nothing|never|badly|rudely|terribl*|twice|wrong*|by you|horribly|poorly|for something|like (dirt|rubbish|garbage|a)|no one|nobody|appallingly)",
    "<you> [guys|people|have] {have|just} (charged|billed|lied to|scammed|cheated|ripped off|misled|ignored|overcharged|spammed|cancelled on|stood) (me|us) [off|up]",
    "(you|your (company|people)) [people|guys|lot] (keep|kept|will not stop|do not stop|have been|never stop) {on} (calling|ringing|phoning|bothering|harassing|pestering|texting|hounding)",
    "(been|i have been|am|we have been) (waiting|chasing|trying) ~ (week|weeks|month|months|days|ages|forever) ~ (you|someone|somebody|anyone|call|reply|response|answer|get back|hear)",
    "is (this|that|it|what you are doing) {<adv>} (legal|lawful|allowed) $", "[a] (total|complete|absolute|utter) (disgrace|shambles|waste of [my] time|joke)",
    "(quiero|quisiera|tengo que) (quejarme|poner una queja|hacer una queja)",
)  # fmt: skip
_NOT_OF_US = _cuts("(can not|no) (complain|complaints)", "(our|my|their) (customers|clients|drivers|staff|people|patients|users|leads) ~ complain*")


def is_complaint(text: str) -> bool:
    """Whether they complain about us: nothing is sold to them, a person sees to it. What *their* customers complain
    about is none."""
    words = _NOT_OF_US.cut_from(spoken(text))
    return _COMPLAINT.found_in(words) or _CALLED_OFTEN.found_in(words)


_CALLED_OFTEN = _rules(
    "(first|second|third|fourth|fifth|sixth|seventh|tenth|nth|umpteenth|hundredth|#th|3rd|4th|5th|6th|10th) (time|call) ~ (you|you people|you guys|you lot|somebody|someone|today|this week|i have|in a row|from you)",
)


@remembered
def is_outburst(text: str) -> bool:
    """Whether they are only angry at being called (so often), and have nothing to complain of beside that."""
    words = _NOT_OF_US.cut_from(spoken(text))
    return _CALLED_OFTEN.found_in(words) and not _COMPLAINT.found_in(words)


# ---- whom we should speak with --------------------------------------------------------------------------------------

_OWN_TALK = _cuts(
    "(i|we|let me) {just|still|first|will|would|might|really|probably|also|do} {need to|have to|want to|got to|ought to|like to} {just|first|also} (talk|speak|check|discuss|ask|consult|run|clear|talked|spoke|spoken|asked) {_}",
    "(boss|manager|wife|husband|partner|director|owner|he|she) (asked|told|wants|said) (me|us) {_}", "(me and my|my _ and (i|me|we)|along with|together with|both of us) {_}",
)
"""What they will do themselves ("I have to ask my boss first") refers us to nobody, nor does who asked them to."""
_MATTER = "(that|this|it|those|these|such things|that stuff|all [of] (that|this)|that side|this side|that kind of thing|that sort of thing|the (software|tools|buying|purchasing|vendors|decision|decisions|decision making|suppliers|systems|stock|money|budget|tech|it|systems stuff)|all the _|everything [like that]|(her|his|their) own _)"
_HANDLES = "(handles|decides [on]|deals with|takes care of|is in charge of|is responsible for|runs|manages|looks after|does|makes|oversees|covers|leads|has the say|signs off [on]|is over)"
_HANDLE = "(decide [on]|handle|deal with|take care of|look after|make|take|run|manage|do|oversee|sign off [on]|have [a|any] say [in|on|over]|control|cover|know [anything] about)"
_DECISIONS = "(decision|decisions|calls|call|choices|purchases|purchasing decisions|buying decisions)"
_TALK_TO = "((talk|speak|chat|deal|get in touch|reach out|talking|speaking|check|be talking|be speaking|get hold|get on) {directly} (to|with|of)|ask|asking|call|calling|contact|contacting|try|trying|email|ring|see)"
_SOMEONE = "((my|our|the) {_} <role>|he|she|they|(mr|mrs|ms|miss|dr) _|(my|our) _)"
_NAME = "!(<weekday>|<adv>|tomorrow|next|now|it|that|this|there|here|you|i|we|what|who|which|when|everything|nothing|nobody|time|demo|price|cost|size|team|one|thing|person|he|she|they|not|how|why|where|much|many|none|any|some|all|each|both) _"
_WRONG_NUMBER = _rules("wrong number")
_REFERRAL = _rules(
    f"<you> [would] {{should|need to|have to|want to|better|must|got to|could|might|might want to|ought to|be|really|rather|probably|will|can|may|better off|be better off|best off|are better off|are best off}} {_TALK_TO} !(me|us|<back>|later|it|about|<real>|tomorrow|in|at|on|next|up|this|them about|a|louder|<then>) _",
    "<you> (would|will|might|may) (want|need|be after|be wanting) !(<me>|to|a|it|that|this|the|some|something|someone|what) _ (in|from|at|over in|who)", "<you> want !(<me>|to|a|it|that|this|the|some|something|what) _ (in|from|at|over in) _",
    f"^ {_TALK_TO} (my|our) {{_}} <role>", f"(please|just|better|rather|then|and|so|but) {_TALK_TO} (my|our|him|her|them) [_] [<role>] [instead|directly|about (it|this|that)] !(<back>|later)",
    "(talk|speak) (to|with) (him|her|them) [instead|directly|about (it|this|that)] $",
    # not my decision; I don't handle that; I'm only the receptionist
    "<you> {would|will|might|probably|may} (want|need|be after|be wanting|be looking for) (my|our|the) {_} <role> !(to join)", "<i> have {<adv>} (no|not much|little|not any) (say|authority|control|influence|power|decision)", f"<i> used to {_HANDLE} ~ (now|but)",
    "<i> (are|am) {<adv>} not {<adv>|exactly|necessarily} [the] (right|best|correct|proper|appropriate) (person|one|contact|guy|department|man|woman)",
    "<i> (am|are) {<adv>} the wrong (person|one|guy|contact|department|man|woman)",
    "<i> (am|are|would) {<adv>} not {<adv>|be} (the (one|person|guy|man|woman) (who|that|to|for|in charge|making|deciding|you (want|need|should))|the (decision maker|buyer|boss|owner|manager)|[the one] (in charge|responsible|involved) (of|for|in)|authorized|authorised|in a position to)",
    f"<i> {{<adv>}} (do not|no longer|did not|can not|never) {{<adv>}} {_HANDLE} [any of] [{_MATTER}|<det>|on that|kind of|sort of|such|all] {{kind of|sort of|purchasing|buying|software|such|kinds of|types of}} ({_MATTER}|{_DECISIONS}|department|team|anymore|things)",
    "(that|this|it) (is|would|was) {<adv>} not {<adv>|be} (<my> (department|area|decision|call|job|responsibility|side|field|team|remit|place|business|role|purview)|up to <me>|something i (decide|handle|deal with))", "(above|over|beyond) my pay (grade|level|scale)", "not (my|mine to) (department|decision|call|decide) $",
    "<i> (am|are) (just|only|simply|merely) [filling in for|covering for] (the|a|an|her|his|our|their) {_} (receptionist|assistant|secretary|temp|intern|pa|cleaner|admin|office junior|driver|trainee|bookkeeper|clerk|student|volunteer|housekeeper|nanny|son|daughter|wife|husband|employee|technician)", "i (just|only) (answer|pick up|man|cover|do|work) ~ (phone|phones|telephone|reception|front desk|desk)",
    # it is our head of marketing that looks after this; Sarah is the person you need; the one who decides is Tom
    f"({_SOMEONE}|{_NAME}) {{<adv>}} {_HANDLES} [all] {_MATTER} !([all] (manually|by hand|on paper|in|with|using|for now|every|once))",
    f"({_SOMEONE}|{_NAME}) (is|are|would be|will be) {{<adv>|probably}} (in charge of|responsible for|the [right|best|correct] (one|person|guy|man|woman|lady|contact|decision maker|boss)) ({_MATTER}|for|to|you|who|that|when|here|on|$)", f"({_SOMEONE}|{_NAME}) (is|are|would be) {{<adv>}} (in charge|responsible) (of|for) _",
    f"(it|that|this) (is|would be|will be) {{<adv>|really|more}} ({_SOMEONE}|{_NAME}) [_] (that|who|you|[that|who] {_HANDLES}) {{<adv>}} ({_HANDLES}|should|would|want|need|have to|can help|decides|are after|would be)",
    f"(person|one|guy|man|woman|lady|decision maker) [who|that|you] {{would|will|should|can|need|want|makes|actually|really|to}} ({_HANDLE}|{_HANDLES}|talk to|speak to|speak with|talk with|need|want|ask|call|contact) {{that|this|it|those|these|with|to|the decision|decisions|for that|about this}} (is|would be|will be) !(me|i|us|just me|myself) _",
    "(he|she|they) (is|are) (the one|who|the person) (to|who|you|for)",
    f"(that|this|it) (is|would be|will be|sounds like) {{<adv>}} ([more] [of] (a|one|something) {{question|matter|job|decision|thing|conversation|call|topic}}|more|down|up) (for|to|to be taken by|to discuss with|with) {_SOMEONE}",
    "(that|this|it) (is|would be|will be) {<adv>|more|really|all|down to|up to} (my|our) {_} <role> [decision|call|job|area|department|thing|you] !(and i|of|meeting|here|said|is)", "(that|this|it) would be !(great|good|fine|nice|perfect|okay|all|lovely|wonderful|<it>|helpful|awesome|best|better|a|an|the|too|about|around|my|our|<then>|at|in|on|very|so|really|more|super|ideal|useful|amazing|brilliant) _ [_] (in|from|at|of|over in) _",
    f"(wrong (person|one|guy)|not (me|my job|mine)) ~ ({_TALK_TO}|you want|it is|that is|would be) !(wrong|right) ((my|our|his|her|the)|_) _",
    "(filled|sent|signed|did|submitted|requested|signing|enquired|registered) {it|this|that|the form|in|out|up} (for|on behalf of) my [_] <role>",
    f"(she|he|they) (does|do|{_HANDLES}) {{all|now|most of|mostly}} ({_MATTER}|now|instead|the)",
)  # fmt: skip


def refers(text: str) -> bool:
    """Whether they say that somebody else is the right one to speak with, without turning us away."""
    said = spoken(text)
    if _WRONG_NUMBER.found_in(said):
        return False
    return _REFERRAL.found_in(_OWN_TALK.cut_from(said)) or (bool(named_instead(text)) and _WRONG.found_in(said))


_NAMED = re.compile(
    r"\b(?i:you(?:'ll|'d| will| would)?(?: probably)? (?:want|need)|(?:speak|talk) (?:to|with)|ask for|contact|reach out to|try)\s+"
    r"((?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|I\b)[A-Z][\w'-]+(?: [A-Z][\w'-]+)*)"
)


def named_instead(text: str) -> str:
    """Whom they name in the place of the one who is not there any more: "you want Susan Lee"; "" when nobody."""
    found = _NAMED.search(text)
    return found[1] if found else ""


_WRONG = _rules(
    "not the (person|one|guy|man|woman|lady) you (are|were|have) (looking|after|trying|calling|asking|been)", "no idea who (that|he|she|you|they|this)", "^ i am not (him|her|them|that person) $", "this (number|phone) {now} (belongs|is) {now} (to|with) (someone|somebody|another|me)",
    "wrong (number|person|guy|man|woman|lady|house|phone|home|place|residence|family|party)",
    "(no one|nobody|no body|no person|none|not anyone|not anybody) {here|in this house|is|goes} (by|with|called|named) (that|this|the|_) [name]", "(no one|nobody|no body|no person|none) {here|in this house} of (that|this|the) name", "(no one|nobody) (here|at this number|at this address) (called|named|by|goes by) _",
    "there (is|was) {<adv>} (no|nobody|no one|not any) !(rush|problem|time|need|way|hurry|signal|doubt|stock|reception|chance|one else|point|reason|price|difference) _ [_] (here|at this (number|address)|in this house)",
    "(does|do|has|have) not (live|work|lived|worked|stay|lives|works|been) (here|at this|with us|for us)", "(he|she|they) (left|moved [out|away]|quit|retired|died|passed away) {_} (years|months|ago|company|last)", "no longer (lives|works|live|work|here|with (us|the company))",
    "<i> (never|did not|have not|have never) {<adv>} (fill*|sent|send|submit*|signed|sign|ask*|request*|enquir*|inquir*|contact*|appl*|register*) {up|in|out|for|about|into|with|to} {_} [a|any|the|your] (form|anything|demo|one|any|that|this|it|information|<you>|website|site|company)",
    "not my (number|phone|form)", "(misdialed|misdialled|mis dialed|dialed wrong|dialled wrong|dialed it wrong|wrong digit)",
    "(that|this|it) (is|was) not {<adv>} (her|him|she|he|(his|her|their) (number|phone|cell|mobile))", "^ [that is|this is|it is] not me $", "^ (that|this|it) is not me !(who|but|it|that|my)",
    "<i> do not know {any|anyone|anybody|a|who} (called|named|by|any|anyone|anybody) {that|this|the} !(thing|way|other|reason) [_] [name] $", "<i> do not know (him|her|them|that person|the person|who that is|who you mean|a _|any _) $",
    "((does|do|has) not|no longer) (have|has|own|owns|use|uses|got) this (number|phone|cell) {anymore|any more}", "(had|got|have) this [phone|cell|mobile|new] (number|phone) (before|for|since|last|just|a|now) ~ [calls|him|her|years|months]", "(just|only|recently) (got|bought|been given) this [phone|cell|new] (number|phone)",
    "[is|was] not (her|his|their) (number|phone|cell|mobile) {anymore|any more|now}", "never heard of (him|her|them|that|anyone|anybody|this person|_) $", "(keep|always|still) getting (calls|messages|texts) for (him|her|them|_)",
    "<you> [have] (reached|called|rung|dialed|dialled|got|phoned|hit) (a|an|the|my|our) {private|personal|wrong|different} {_} (shop|store|house|home|residence|restaurant|school|church|hospital|number|household|pizzeria|cafe|garage|hotel|salon|dentist|kitchen)", "(private|residential) (residence|number|house|household|home|line)",
    "<you> {must|probably|might|may|think} [are|be|have] (want|wanting|looking for|thinking of|after|mean|got|need|confusing|mistaken) {me with|the|for} (someone|somebody|a different|another) [person|number] else", "<you> {must|probably|might|may} (be|have) (mistaken|confused|mixing|mixed) {me|us|up}",
    "(someone|somebody) else (number|phone|must have|filled|used|gave)", "(equivocado|equivocada|equivoco|se equivoca|numero equivocado)",
)  # fmt: skip


def is_wrong_person(text: str, name: str = "") -> bool:
    """Whether we reached somebody else: the number is not to be called again for this lead. ``name`` is whom we
    want: "I'm not Dana", "no Dana here"."""
    said = spoken(text)
    first = next((word for word in tokens(name) if word.isalpha()), "")
    if first and any(f" {first} " in words for words in said):
        # "Jordan's" is Jordan in tokens: what is hers or his is told apart here.
        text = re.sub(rf"\b({first})['\u2019]s (?!not\b|no longer\b)", r"\1 owns ", text, flags=re.IGNORECASE)
        if _of_name(first).found_in(spoken(text)):
            return True
    return _WRONG.found_in(said)


_ABSENT = _rules(
    "(he|she|they) (is|are) {<adv>|also} not (in|here|available|around|home|at (home|work|the office|her desk|his desk|their desk)|back) !(if|about)",
    "(he|she|they) (is|are) {<adv>} (out|away|on (vacation|holiday|leave|the road|a trip)|off (today|sick|work|this week)|at (lunch|work|school)|in (a meeting|the shower|the bath|surgery|class)|asleep|sleeping|driving|sick|travelling|traveling) !(of)",
    "(he|she|they) (will be|is coming|comes|gets|should be|will get) {<adv>} (back|home|in|here) !(touch)",
    "^ {yes|no|hi|hello|sorry|well} (this is|it is|i am) (her|his|their) (husband|wife|partner|son|daughter|mother|father|mom|dad|mum|brother|sister|assistant|secretary|roommate|flatmate|boyfriend|girlfriend|colleague|coworker) $",
    "^ {no|sorry|well} (my|our) (mom|mommy|mum|mummy|dad|daddy|husband|wife) (is|has) {<adv>} (out|away|not (here|in|home)|in the (shower|bath|garden|bathroom)|at (work|lunch)|asleep|sleeping|busy|driving)",
)


def is_absent(text: str, name: str = "") -> bool:
    """Whether somebody else says that the one whom we want, ``name``, is not there at the moment: "she's not in today",
    "this is her husband"."""
    first = next((word for word in tokens(name) if word.isalpha()), "")
    if first:
        text = re.sub(rf"\b{first}\b", "she", text, flags=re.IGNORECASE)
    return _ABSENT.found_in(spoken(text))


@remembered
def _of_name(first: str) -> Rules:
    """What denies that ``first`` is here, or speaks."""
    return _rules(
        f"(i am|name is|this is|it is|that is) not {first} !(owns)",
        f"(this|that|it) is not {first} owns (phone|number|cell|mobile|line)",
        f"no {first} {{_}} (here|at this|in this|lives|works)",
        f"{first} {{no longer|does not|has not|did not|never}} (live|lives|work|works|worked|lived|have|has|own) {{here|at|this|for us|with us}}",
        f"not know {{any|anyone|anybody|a|called|named|who|this|that}} {first}",
        f"{first} is {{not|no longer}} (at|on) this (number|phone)",
        f"{first} {{is|has}} (left|gone|moved|passed away|retired|dead)",
    )


# ---- what they want instead -----------------------------------------------------------------------------------------

_BUSY_THEN = _rules(
    "(am|are|is|be) {already|fully|all|completely|pretty|totally|quite} booked (up|solid|out|then|that|at|on|all|until|till|for (that|the|most)|those|both|the|every|<weekday>|tomorrow|through|most|$)"
)
_TAIL = "(already|online|yesterday|earlier|last|this (morning|week|afternoon)|on (your|the|my)|through|with (you|your|one of)|ago|before|<weekday>|with _|just now|today)"
_THEM = "(i|we|he|she|they|(my|our|your) ~|(someone|somebody|one) (of|from|at|on|in) (you*|my|our|your) [_]|<role>)"
_ALREADY_BOOKED = _rules(
    "<i> {have|just} <booked> (with|through) (you|your) [_]", "<i> {have} already (did|done) (that|it|this) [on|online|through|with|yesterday]", "(it|that|this|everything|one) (is|was|has) already [been] <booked> !(up|out)", "<i> have {had|got} (it|that|one|this) booked", "<you> {have} already (gave|given|booked|set|scheduled|put) <me>",
    f"{_THEM} {{have|has|had|did|think}} (already|just) {{have|has}} {{gone and}} <booked> {{for}} (<it>|[<det>] [_] <meeting> !(system|tool)|in [with you])", f"{_THEM} {{have}} already (booked|scheduled|signed up|made a booking|arranged|set (that|it|this|one) up) !(solid|up|out|then|at|for (that|the)|on)",
    f"{_THEM} {{have|has|just|did}} <booked> (one|it|that|something|[<det>] [_] <meeting>) ~ {_TAIL}", "<i> did (book|schedule|arrange|reserve|pick|set up) (one|it|that|a <meeting>)", f"{_THEM} {{have}} <booked> (that|it|this|one|[<det>] <meeting>) {{up|in|with you}} already",
    "<i> {<adv>} (signed up|registered) for (a|one|the) [_] (slot|demo|time|session|meeting)", "(set|sorted|arranged|booked) (that|it|this|one) [up] already",
    f"{_THEM} {{<adv>}} already (have|got|had|has) [got] (one|<det>) [_] <meeting> !(system|then|at|that) [_|with you*|booked|scheduled|set [up]|lined up|in|on]", f"{_THEM} {{<adv>}} (have|got) [got] <det> [_] <meeting> ~ (already|with (you*|one of you*)|booked|scheduled|in the <diary> with|lined up)", "(have|got) {already|got} one [of (these|those|them)] {already} (booked|scheduled|set up|lined up|in the <diary>)",
    "(am|are|is|was|were) {<adv>|already|all} (booked in|scheduled|set up|down|signed up|on|in|booked) {down|in} {with you|for (a|the|my|our) (demo|meeting|call|_)|for <weekday>|for tomorrow|in|on} {in|on} [(the|my|your|our) <diary>] (already|with you*|on (the|my|your) <diary>|for (my|the|a) (demo|meeting|call)|<then>|tomorrow)",
    "(am|are|was|were|thought i was|is|been) already (booked|scheduled|on (the|my|your) <diary>|in (the|my|your|our) <diary>|down|signed up|booked in|set up|arranged) !(up|solid|out|then|at|on <weekday>)", "already {_} (in|on) (the|my|your|our) <diary>", "(in|on) (the|my|your|our) <diary> already", "<meeting> (is|was) (already|all) (booked|scheduled|set|arranged|set up|in the calendar)", "(it|that|everything) (is|was) (already|all) (booked|scheduled|arranged|set up|sorted)",
    "(did|have) [not] <i> [not] {already|just} (book|booked|schedule|scheduled|make|made|arrange|arranged|pick|set up) (that|this|it|one|a|an|the)", "already {a|an} <meeting> ~ with you", "(have|got|had|received) {already|had|got|just} (the|a|an|my|your|our) {_} (confirmation|invite|invitation|calendar invite) {email|text|message|mail} {already|for|from|yesterday}  [already|yesterday|from you|for]", "already (have|got|had|received) (the|a|an|my|your) {_} (confirmation|invite|invitation)",
    "already done i booked", "(ya tengo|ya hice|ya reserve|ya agende|ya programe|tengo ya) [una|un|la|el|mi] [cita|reunion|reserva|demo]",
)  # fmt: skip


def is_already_booked(text: str) -> bool:
    """Whether they say that they have a meeting with us already. That they are busy at some time ("I'm booked
    solid") is none of this, nor that they have a system already."""
    words = spoken(text)
    return _ALREADY_BOOKED.found_in(words) and not _BUSY_THEN.found_in(words)


_BAD_LINE = "(line|connection|signal|reception|audio|breaking up|break up|can not hear|cannot hear|cutting out|dropping out|crackling|echo)"
_FREE_NOW = "((can talk|am free|are free|have time|available|got [a|one|five|ten|two|a few|#5] (minutes|minute|time|moment|sec|second)|<number> minutes|good time|free) ({right|just} now|at the moment)|now (is|would be|works) {<adv>|actually} [a] (good|fine|great|okay|perfect|ideal|works|best) [time]|ready when you are|now works|any time now)"
_CALL_NOW = _rules(
    "(want|need|have|get|do|like) (a|the|this|that) (call|callback|call back) {<back>} <now>",
    "<call_me> {<back>|please|on _|on (this|my) _|number|cell|mobile} <now>", "<asking> <dial> {<me>} {<back>|please} <now>", "^ <dial> {<me>|<back>|please} {right|just} <now>", "(someone|somebody) (call|ring|phone) <me> {<back>} <now>", "<give_call> {<back>} <now>",
    "<give_call> {<back>} in (a|one|two|a couple of) (minute|moment|tick)", "<now> [please] <call_me> !(<back> <then>|<then>)",
    "hang up and <dial> [<me>] [<back>]", f"{_BAD_LINE} {{_}} {{_}} {{so|and|can you|please|could you|just|you}} <dial> [<me>] <back> !(<then>)", f"{_BAD_LINE} ~ {{so|and|can you|please|could you|just|you}} <call_me> <back> !(<then>)", f"^ <dial> {{<me>}} <back> {{please}} ~ {_BAD_LINE}", f"<call_me> <back> [because] ~ {_BAD_LINE}",
    f"{_FREE_NOW} {{so|and|just|please|if you|you can|can you|then}} (<call_me>|<dial> $) !(<then>)", f"<call_me> [<back>] [if] {{i|we|you|because}} {_FREE_NOW}", f"{_FREE_NOW} (for|if you) {{a|the|to|can}} <dial> [<me>]", "(can talk|free|available) now if you (<dial>|give) <me>", "(llameme|llamame|llame|llama) [por favor] (ahora [mismo]|ya|enseguida|inmediatamente)",
)  # fmt: skip
_NOT_NOW = _rules("(do not|can not|never|stop|why|not) {<adv>|<you>|to|be|have|want|did|do|are|need|talk|speak} (<dial>|calling|[right] now)", "(people|reps|team|we|they|staff|agents|who|guys) (<dial>|calling) (leads|them|customers|clients|people|prospects)")


def asks_call_now(text: str) -> bool:
    """Whether they want to be rung (again) this very moment."""
    words = spoken(text)
    return _CALL_NOW.found_in(words) and not _NOT_NOW.found_in(words)


_SELF = "(myself|ourselves|online|on my own|on (the|your) (web site|website|site|page|app|computer)|in my own time|on (the|your) web [site])"
_LINK = _rules(
    "(text|message|email|sms|whatsapp) <me> {that|it} (and|so|then) <i> (will|can|am)", "(do|handle|sort|settle|arrange|continue) (this|it|that|everything) <by_text>", "(prefer|rather|sooner|like) {to|do|have|get|it|this|just|a} <by_text>",
    "<send> {<me>|over|across|through|along|please|just} [<det>] [_] (<link>|something [i can|to]) !(off|back to|in the post|to (my|the) (boss|office|warehouse|wife|husband))",
    "<send> (that|it|this) {over|through|across|to <me>} (<by_text>|to my (phone|mobile|cell|email|number|inbox)|to <me>|over [to <me>]|through|[please] $)", "<send> <me> (that|it|this) !(again|off|is)", "(put|stick|pop|bang|whack) (it|that|the link|the times|everything) in (a|an) [quick] (text|message|email|sms|whatsapp)",
    "(text|message|sms|whatsapp|email) (me|us) {that|this|please|instead|about it|everything|the|later|then} $", "(shoot|drop|send|fire|ping|flick) {<me>|over} (a|an) [quick] (text|message|sms|whatsapp) [with ~|instead|please|and ~|$]",
    "(get|have|want|prefer|take|like|need|use|grab) (the|a|that|your|some) [_] (link|links|url|booking page|calendly|scheduling link|web address)", "(is there|do you have|have you got|got|you got|have you) (a|an|the|your|any|some) [_] (link|url|booking page|calendly|web site|website|webpage|page|calendar link|online calendar|form) [_|$]",
    f"<i> {{can|could|will|would|would rather|would sooner|sooner|would prefer|rather|want to|like to|just|prefer to|might|be able to|have to|am going to}} {{just|rather|prefer to|quickly}} (do|book|arrange|schedule|choose|pick|sort|find|reserve|set up) {{that|it|this|one|a _|out|the _}} {_SELF}", f"(can|could|may) <i> {{just|not}} (do|book|arrange|schedule|choose|pick|sort|find) {{that|it|this|one|a _|out|the _}} {_SELF}",
    "<i> (would|will) {rather|prefer to} (book|pick|choose|do|sort|arrange) ~ (myself|on my own|online)", "(mandeme|mandame|envieme|enviame|manda|envia|mande|envie|paseme|pasame) {me|por favor|solo} [el|un|la|una] (enlace|link|liga|mensaje|informacion|texto)", "(por mensaje|por texto|por sms|por whatsapp)",
)  # fmt: skip
_NO_LINK = _rules(
    "(do not|never|stop|did <you>|did not|<you> already|does (it|that|the system)|can it|will it) {_} <send>", "(<i> (will|can|could)|have to|they|leads|customers) {_} <send> !(<me>)",
    "^ <i> (have|got) {already|just} [got] the <link>", "(have|want) a link (between|to)", "<you> (sent|texted|emailed|gave) <me>", "(the|that|your) <link> (<you>|does|is|did|was|will)",
    "<i> {<adv>} (<send>) (our|my|the|leads|them|a)", "(got|clicked|opened|used|saw|lost) {on} (the|your|that|a) <link>",
)  # fmt: skip


def asks_link(text: str) -> bool:
    """Whether they want to be sent the link."""
    words = spoken(text)
    return _LINK.found_in(words) and not _NO_LINK.found_in(words)


_CALLBACK = _rules(
    "(prefer|rather|better|best|great|good|nice) [it] if you {could|would|just} (called|rang|phoned|tried|call|ring|phone|try) {<me>|<back>} <then>", "(<call_me>|<touch>) then $", "get <me> <back> <then>", "(get|have|take|want|do) (a|the|this) call <then>",
    "(<call_me>|<touch>|<dial> back) {<back>|please|maybe|then} <then>", "(<call_me>|<dial> <me>) <back>", "^ <dial> [<back>] {please} (<then>|<back>)", "<asking> (<dial>|try) {<me>|<back>|please|maybe} (<then>|<back>)", "(a|get a|have a) (call back|callback|ring back) {<then>|please|$}",
    "(let us|can (i|we|you)|could (i|we|you)|(we|you) could|shall we|we can|maybe|would rather|prefer to|better to|best to|how about we|why do not we|should we|happy to|we should|[do you|would you] mind if (i|we)) {<adv>|maybe} <talk_later> {again|more|properly} (<then>|next _|on|in|at|after|this)",
    "(another|a different|a better|some other|any other) (time|day|moment|week) {<adv>} (would be|is|might be|works|will be) {<adv>} (better|best|good|fine|easier)", "(later|tomorrow|next (week|month|_)|<weekday>) {morning|afternoon|evening|_} (is|would be|might be|will be|works) {<adv>|a} (better|best|easier) [time|for me|to talk]",
    "(not|never) {a|the} (good|great|best|right|ideal) (time|moment|day) ~ (<call_me>|<touch>|try|<dial>|<then>)", "ask me again", "(terrible|awful|horrible|bad|rough|dreadful|rotten|wrong|worst|poor|inconvenient|busy) (time|timing|moment|day) $", "(bad|terrible|awful) (timing|time)", "(catch|caught|catching) <me> [at|in|on] (a|an|the|another|some other) {really|very} (bad|terrible|awful|busy|better|good|different|wrong|inconvenient|rough|other) (time|moment|day)",
    "(am|are) {<adv>} (driving|busy|tied up|swamped|slammed|(in|on|at) {a|an|another|my|the|back to back} {_} (meeting|meetings|call|appointment|work|lunch|class|lesson|shift)|with a {_} (customer|client|patient)) {<adv>|here} (until|till) _",
    "(have|got) [got] to (run|dash|go|rush|shoot|hop off|jump) ~ (<call_me>|<touch>|<then>)", "(<i> am|<i> are|^) {<adv>|just|about to|currently} (walking|heading|going|getting|boarding|stepping|running|rushing|jumping|in the middle|driving|out) ~ (meeting|call|plane|train|flight|door|appointment|something|class|lesson|surgery|shower|car|traffic|session|interview) ~ (<call_me>|<touch>|<then>)",
    "(ahora no|no puedo (hablar|ahora)|estoy (ocupad*|manejando|conduciendo|trabajando|en (una reunion|el trabajo)))", "(llameme|llamame|me llama|me puede llamar|puede llamarme|llame|llama|me llame|hablame|hableme|marqueme) {por favor|mejor|de nuevo} (manana|luego|mas tarde|despues|otro dia|el _|la (proxima|otra) semana|la semana _|en un _|en _ (minutos|horas|dias)|a las _|esta (tarde|noche))", "mejor {_} (manana|luego|mas tarde|despues|otro dia|el lunes|el martes|el miercoles|el jueves|el viernes|la (proxima|otra) semana|la semana (que viene|proxima))",
)  # fmt: skip
_BUSY = _rules(
    "^ not right now $",
    "<i> (am|are) {<adv>} (driving|busy|in a meeting|at work|at dinner|at lunch|about to|on another call|on the other line|in the middle|walking (in|into)|boarding|tied up|with a (customer|client|patient)|swamped|slammed)",
    "can not {<adv>} (talk|speak|chat|do this) [right] [now|at the moment|today]",
    "not (a|the) (good|great|best|right) (time|moment)", "(bad|wrong|terrible|awful|rough) (time|moment|timing)",
)  # fmt: skip


_SELF_CALLS = _rules(
    "(i|we|let me|they|reps|leads|people|customers|team|sales) {<adv>|will|would|would rather|can|could|should|usually|have to|rather|always|then|must} (<dial>|try|get back|contact|text|follow|reach) !(me)", "(do not|never|stop) {_} (call|calling|try|trying|contact|contacting|ring|ringing|text|texting) [me|us] (<back>|anymore|any more)",
    "(our|my|the|your) {_} (reps|team|people|guys|staff|agents|sales people|office|girls|boys|leads|customers|clients) {<adv>|all|usually} (<dial>|try|get|contact)", "(do|does|did|will) (you|it|they) {<adv>} <dial> (the|our|them|leads|new|every|all)", "how (soon|quickly|fast|often|many|long)",
)  # fmt: skip


def asks_callback(text: str) -> bool:
    """Whether they ask in so many words to be called at another time. "I'm busy" alone is a concern, and may be
    answered; this may not."""
    words = spoken(text)
    return _CALLBACK.found_in(words) and not _SELF_CALLS.found_in(words)


@remembered
def asks_later(text: str) -> bool:
    """Whether now does not suit them: they ask for another moment, or say "I'm driving"."""
    return asks_callback(text) or _BUSY.found_in(spoken(text))


_DO_NOT = "(do not|no longer|does not|will not|did not|never|would not|neither of us)"
_NOT_INTERESTED = _rules(
    "(is|be|was) a {firm|definite|hard|polite} no {from|for} [me|us]", "<i> (am|are) out $", "count (me|us) out", "lost {all|my|our} interest", "(have|got) {got|really} no (use|need) for", "<i> (am|are) {<adv>} happy (as <i> (am|are)|the way|with (what|how|our|my|the (one|way)))",
    "(not|no longer|never|hardly|was not|were not|not think <i> (am|are)|without being) {<adv>|at all|that|particularly|so|too|all that|terribly|overly|remotely|one bit|in the least|the least bit} interested !(in the (_)|in how|in (basic|that plan|those|which))", "(could not|can not) be {any} less interested", "(can not|could not|would not) (say|claim|pretend) {that} <i> (am|are|was) {<adv>} interested", "(have|got|have got|zero|there is) {absolutely|really|zero|got} (no|zero) interest", "^ no interest",
    f"{_DO_NOT} {{<adv>|think <i>|see (any|a) reason to}} (want|need|be needing|be wanting|require|care for|fancy|see the point of|see the need for|have (a|any) (need|use) for|like the look of) {{_}} (<it>|the demo|a demo|your|any of|anything|any|another _|these|help with) !(before|until|till|right|today|yet|immediately|(this|that|it|one) (to (be|take|get|run|cost))|to (be|take|get|run|cost|wait)|on|at|<meeting>|part|bit|first)",
    "(changed|change) <my> (mind|minds)", "not {<adv>|quite|exactly|going to be} (for (me|us)|<my> (thing|cup of tea|kind of thing|sort of thing|scene|bag)|a [good|great|right] (fit|match)|the right (fit|thing)|something (i|we) {are|would|do|really} (want|need|looking for|interested|after|use)|what (i|we) {are|were|really} (want|need|looking for|after)|worth <my>|for <my> (business|company)) !(it is|its|but|to decide|alone|on|yet)",
    "not think {that|<i>} (this|it|that|you|we) (is|are|would be|will be|would) {<adv>|be} (for (me|us)|a {good|great|right} (fit|match)|right for|something|what|useful|any use|of interest|work for)", "(no longer|not [in the market|shopping|actively|currently|really]) (looking|in the market|shopping|searching|considering) !(at|forward|to (wait|spend|pay)|for (a (date|time|slot)))", "not (looking|in the market) for (<it>|anything|any)", "<i> (was|were) {<adv>|only|just} (browsing|looking [around]|curious|having a (look|browse|nose)|window shopping|poking around|killing time|playing around) !(for)",
    "<i> {have|already|are|am|just|ended up|in the end|actually|had} (ended up (choosing|going|buying|picking|signing|with|getting)|chose (another|a different|someone)|bought (another|something|one|elsewhere)|(decided|opted|chosen|chose|gone|went|going|signed [up]|settled|stuck|sticking) (against|elsewhere|not to|to (go|stay|stick|use|pass)|for (another|someone|somebody)|with (another|someone|somebody|a different|one of|what we|the other|our|<it>)|on (another|something|someone|a different)|another way|(in) a different (way|direction)|a different (way|direction|route))|found (another|something|someone|somebody) [else])", "(decided|deciding) against",
    "<i> {am|are|think|will|would|just|have|going|to|rather} {to|have|going to} (pass|decline|skip (it|this)|say no|leave (it|this)|give (it|this) a miss|sit this [one] out|bow out) !(the|it on|on the|a message|to|at|<then>|until) [on (this|it|that)] [thanks|thank you|for now|today|this time|$]", "(hard|easy) pass", "(will|am|are) not {be} (going ahead|proceeding|moving forward|taking (this|it) (further|forward|up)|going forward|continuing|pursuing|buying|signing up|be going)",
    "(thanks|thank you) but no thanks", "please do not bother", "(thanks|thank you) (not|no) for (me|us)", "no need [for (that|this|it|one)|thanks|thank you] {<i> are|we are} ($|<i> are (good|fine|set|covered|okay|sorted))", "rather not (bother|continue|go on|carry on|take this)",
    "(no me interesa|no estoy interesad*|no estamos interesad*|no lo necesito|no queremos|no gracias no)",
)  # fmt: skip
_NOT_UNINTERESTED = _cuts("(not|never) (that|because|as if|like) <i> (am|are) not interested", "(leads|customers|people|clients|most|they|who) ~ not interested", "(are|is) (they|he|she) not interested", "(my|our|the|his|her) _ {_} (was|were|is|are|wasn) not interested")


@remembered
def is_not_interested(text: str) -> bool:
    """Whether they say in so many words that they do not want what we offer."""
    return is_enough(text) or _NOT_INTERESTED.found_in(_NOT_UNINTERESTED.cut_from(spoken(text)))


_ENOUGH = _rules(
    "no (thank you|thanks) {<i> (are|am)|i think <i> (are|am)|really} (bye|goodbye|all set|good|fine|sorted|covered|okay|all good)",
    "^ <i> (are|am) {all|quite|totally|already} (set|good|covered|sorted) {thanks|thank you|for now|here|actually|with that|on that|for that|mate|cheers} $",
)


@remembered
def is_enough(text: str) -> bool:
    """Whether they want nothing (more) of us: "I'm all set", "no thank you, bye". To somebody who has what they came
    for that is a goodbye, to anybody else a no."""
    return _ENOUGH.found_in(spoken(text))


# ---- all together ---------------------------------------------------------------------------------------------------


@remembered
def wish(text: str, name: str = "") -> Wish:
    """The one thing that these words ask of us, "" when none is clear. The graver comes before the lighter: who wants
    no more calls and a person is left alone. ``name`` is whom we want to speak with: "I'm not Dana"."""
    if is_opt_out(text, spoken=True):
        return "stop"
    if is_complaint(text):
        return "complaint"
    if asks_person(text):
        return "person"
    if asks_robot(text):
        return "robot"
    if refers(text):
        return "referral"
    if is_wrong_person(text, name):
        return "wrong_number"
    if is_already_booked(text):
        return "already_booked"
    if asks_cancel(text):
        return "cancel"
    if asks_call_now(text):
        return "call_now"
    if asks_link(text):
        return "link"
    if asks_callback(text):
        return "later"
    if asks_move(text):
        return "move"
    if is_not_interested(text):
        return "not_interested"
    return "maybe" if is_hesitating_yes(text) else ""
