"""What somebody with a meeting says about coming to it: yes, late, not at all, on the way, here, "the link does not work",
"who is this?".

Plain functions over English text, the same for calls and texts, of the same parts as :mod:`.wishes`. What they mean is
for whoever knows the meeting; here they are only told apart.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from .grammar import spoken
from .parts import GRAMMAR
from .reading import asks_cancel, asks_move, hesitates, is_confirmation
from .wishes import asks_call_now, asks_callback
from .words import plain, remembered

Word = Literal["", "here", "join", "late", "absent", "coming", "who"]
"""``here``: in the room, or waiting in it. ``join``: they do not get in, or want the link. ``late``: they come, but later.
``absent``: they cannot come at that time. ``coming``: about to join. ``who``: they do not know who writes, or why."""

_rules = GRAMMAR.rules
_cuts = GRAMMAR.cuts

_COUNT = "(<number>|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|forty five|a few|few|a couple [of]|couple [of]|several|another|a|an|half an|half a|quarter of an|some)"
_SPAN = f"({_COUNT} {{more|extra|little|good|or so|<number>|to|or|five|ten|fifteen|twenty}} (minute|minutes|min|mins|m|hour|hours|hr|sec|secs|second|seconds|bit|tick|ticks|moment|moments)|a (bit|little|while|few|tad|touch)|[<number>|ten|five|twenty|quarter] (past|after) $|half an hour|[a] quarter [of an] hour|(<number>|five|ten|fifteen|twenty) $|in a few $)"
_EVENT = "([the|our|this|my|your|that|today] (meeting|demo|call|appointment|session|slot|zoom|chat|thing|one|booking|it|invite))"
_OTHERS = _cuts(
    "(people|leads|customers|clients|they|he|she|reps|staff|drivers|everyone|orders|deliveries|(our|their|your) {_} (people|leads|customers|clients|reps|staff|team|drivers|orders|deliveries)) {<adv>|always|often|usually|are|is|do|tend to|keep} (late|running|run|join|joining|arrive|can not|do not|miss|skip|no show|bail) {_}",
    "(too|how|so) late",
    "late (for|to) (that|me to)",
    "late (fee|fees|payment|payments|night|orders|order|deliver*|paying|shift|shifts|invoice*|stage|adopter*|binding)",
    "(was|were) late {_}",
    "(not|never) {_} late !(by)",
    "(would|will) not miss (it|this|that)",
)
"""Who else is late, or what else: nobody comes later to a meeting for that."""

_LATE = _rules(
    "(running|run|ran) {_} (late|behind|over)", f"(late|behind|delayed) by {{_}} {_SPAN}", f"{_SPAN} (late|behind|delay|delayed)",
    "<i> {am|are|will|might|may|be|going to|probably|could|should|have to|would|think|looks like|likely|also} {<adv>|a|few|bit|little|slightly|tad|touch|just} {_} (late|tardy|delayed|behind [schedule])",
    "^ {might|may|will|could|going to|probably|be|am|likely|slightly|a|bit|little|bad news|apologies} {might|may|will|could|going|to|be|a|bit|little} (late|tardy|delayed|held up|behind)",
    "(stuck|caught|held up|trapped|sitting|delayed|tied up|caught up) (in|on|at|by|with|behind) _", "(got|am|are|being|been|getting) (held up|delayed|tied up|caught up|stuck)",
    "(traffic|train|bus|flight|plane|subway|tube|uber|cab|taxi|doctor|dentist) {_} {_} (nightmare|awful|terrible|bad|stuck|late|delayed|crazy|horrible|insane|crawling|backed up|broke down|jam)",
    "(meeting|call|appointment|one|session|class|thing|standup|interview|lunch) {_} (overrunning|overran|dragging|(running|ran|going|went|run|runs) {_} (over|long|late)|not over [yet]|taking longer)",
    f"(give|need|gimme|grant|spare|want|allow) [me|us] {{just|another|like|about|maybe|only|please}} {_SPAN}", "(need|give me|want) {_} more time !(to (think|decide))",
    f"(be|get|arrive|come|am) {{right}} (there|with you|with her|with him|on|in|over|along|back|joining|able to join) {{just|about|a bit|around}} ((in|by|around|after|like|approx) {{about|around|like}} {_SPAN}|[at|by|around] (half|quarter|ten|five|twenty|<number>) (past|after))",
    f"(joining|join|start|starting|come|coming|arrive|arriving|get there|dial in|log in|hop on|jump on|be there|be on|be with you|there|on) {{_}} ((<number>|five|ten|quarter|twenty|half|a (bit|little|few)|<number> (min|mins|minutes)) (past|after|later)|{_SPAN} (late|later|after|past))",
    "(not|never) {_} (make|be|get|start|join|come|there) {it|there|in|on} (on time|in time|at the start|for the start|by the start|right (away|at)|at the beginning)", "(start|begin|go ahead|kick off) without (me|us)",
    f"(hold|wait|hang) {{tight|on|for me|for us|up}} {_SPAN}", f"(restarting|rebooting|updating|rebooted|restart|reboot) ~ {_SPAN}", "behind schedule", "eta {is|about|around|in} (<number>|five|ten|fifteen|twenty)", "<i> (am|are) {about|like|still} (<number>|five|ten|fifteen|twenty) {min|mins|minutes} (out|away|off) $", "(<number>|one|two|three|five|ten|fifteen|twenty|a couple [of]|a few) more (min|mins|minute|minutes)", "(on|in|there|joining|back) in (<number>|two|three|five|ten|fifteen|twenty) $", "sorry for the delay", "(bit|little|slight|small|short) {of} {a} delay", "(be|get) (there|on|with you|in) in (<number>|five|ten|fifteen|twenty|thirty) $", f"(more like|rather|closer to) {_SPAN}", "(push|pushed) {_} back {_} (minutes|min|mins)", "(just|only|about) (<number>|five|ten|fifteen|twenty) [more] (minutes|mins|min)", "(later than|not quite) {_} (planned|on time|there yet)",
)  # fmt: skip

_UNABLE = "(can not|could not|will not|not able to|unable to|not going to|not be able to|no longer|not gonna|no way <i> (can|will)|will not be able to|not|never) {now|be able to|actually|even|be|any more|going to|possibly|able to|after all|really|today}"
_WAY_OUT = "(bail|skip|miss|back out|bow out|pull out|duck out|drop out|sit (this|it|that) [one] out|pass on|take a rain check|rain check|raincheck|call off|no show|drop|postpone)"
_ABSENT = _rules(
    f"{_UNABLE} (make|making) (it|that|this|{_EVENT}|<then>|tomorrow|today|<number>|our|the time|to) !(work|happen|on time|in time|any|right|clear|add up|<number> minutes|up|sense|easier|better|out)",
    f"{_UNABLE} (attend|join {{you|us|in|the call|the meeting|today|tomorrow}} !(until|till|the link|via|from|yet|because|with|on|it)|come {{along|today|tomorrow|anymore|to {_EVENT}|<then>}} $|be (there|on|around|present|attending|joining|coming|at {_EVENT}|available|free|in) !(until|till|for|on time|in time|when|by|able|before)|do (it|this|that|{_EVENT}|<then>|today|tomorrow|<number>) {{today|then|<then>|after all|anymore|any more|now|pm|am|at _}} ($|sorry|because|apologies|so|i|my)|meet !(the|our|demand|with the|my))",
    f"(have|need|going|got|want|must|gotta|will|am|might|may) {{have|to|need|<adv>|going}} {_WAY_OUT}", f"{_WAY_OUT} (on|the|this|our|my|today|tomorrow|it|that) {{_}} (meeting|demo|call|one|today|appointment|tomorrow|session)",
    "(something|stuff|things|emergency|conflict|matter|issue|work|family|life) {<adv>|has|have|just|urgent|else|important|work|suddenly} (came|come|cropped|popped|turned|comes|arose|arisen|blew|got in the way) {up}", "(have|got|is|there|a|an|in|family|work|medical|minor|sudden|at) {_} (conflict|emergency|clash|prior engagement|schedule conflict|scheduling conflict) !(with|of interest|plan|plans|stock|order*|management)",
    "not going to work {for me} (today|tomorrow|<then>|after all) $", "(need|take|want) {to|a|take} (raincheck|rain check)", "<i> {now|also|actually} (have|got) {<adv>|got|now} (a|an|another|something|other) {_} {_} (at that (time|hour)|at the same time|then now|at (<number>|noon) {now|too|instead}) ", "(can not|no can do|could not) {do} (today|tomorrow|<then>) {sorry|anymore|after all|unfortunately|then} $", "can not get (away|out of (it|this|here|work|the office))", "tied up (all|the whole|until|till|for the rest)", "(it|that|this) {_} (will not|not going to|is not going to) happen*", "(have|got) {_} (duty|funeral|court|surgery|exam|deadline|wedding|interview|appointment|flight) {_} (that day|then|at that time|today|tomorrow|<weekday>)", "(afternoon|morning|evening|time|day|slot|today|tomorrow|<weekday>) {is|are|really|just} (not|no longer) {a|very|really} (good|possible|free|great|ideal|doable|convenient) {time|day|one} {for me|anymore|any more|after all|now} $", "(double|triple) book*", "overbooked", "(time|slot|date|day|hour|it|that|this|<number>|pm|am|<weekday>) {actually|really|then|just|now|date|slot} (does not|will not|no longer|is not|not going to|not) {actually|really|going to} (work*|suit*|possible|good|doable) {_} (anymore|any more|after all|for me|for us|now|today|<then>)",
    "<i> (am|are|will be|got|have to be|turns out) {<adv>|out|off|home|at home|stuck|actually|going to be|turns out} (sick|ill|unwell|poorly|hospital|travelling|traveling|flying|away|out of (office|town|the office)|on (vacation|holiday|leave|a (plane|flight|train))|out of town|in court|in surgery|at a funeral) {_} {_} (today|then|tomorrow|that day|so|at that time|<weekday>|unfortunately|sorry|and|now|$)",
    "no (meeting|demo|call) {for me|today|now|after all} $", "(not|no longer) {actually|really|going to be|be|any more} (free|available|around) {_} (then|anymore|any more|at that (time|hour|point)|today|after all|tomorrow|at <number>|for {_} (meeting|demo|call)|<weekday>)",
    "(pulled|dragged|called|roped|sucked|drafted) {me|us|him|her} (into|in to|away|in for)", "(kid|child|son|daughter|baby|wife|husband|mom|mum|dad|mother|father|partner|dog) {_} (sick|ill|hospital|emergency|unwell|accident|fever|er)", "(lost|losing) my (slot|window|hour)", "(count|leave) me out [today|of (it|this|that|today)|for today] $", "(will|going to) (miss|have to miss) (you|it|this|that|out|our|the (meeting|demo|call))", f"(miss|missing|missed|forgot|forgotten|forget) {{about|all about|completely|totally}} {_EVENT} !(from|out)", "(forgot|slipped my mind|lost track of time|overslept|slept in)", "(unable|not able) to {_} (attend|join|make it|participate)", "not (happening|going to happen|possible) {for me} (today|<then>|after all|anymore)", "(today|tomorrow|<weekday>|that time) {just|really|actually} (is not|not|no longer|will not|does not) {_} (work*|possible|good|happen*)",
)  # fmt: skip

_COMING = _rules(
    "omw", "on (my|our|the) way", "(joining|coming|connecting|clicking|entering|dialing|dialling|opening) {it|you|the link|the call|the meeting|up|there|just|right|as we speak} (now|$|right now|this second|in a (sec|second|minute|moment))", "(logging|getting|dialing|dialling|signing|hopping|jumping|tuning) (in|on) {_} (now|$|right now)", "just (logging|getting|dialing|joining|connecting|coming|opening|finishing|wrapping|about|grabbing|setting up|hopping|jumping|clicking)",
    "be (right (there|in|over|on|with you)|there (shortly|soon|now|momentarily|asap|in a)|in (shortly|soon|momentarily)|on (shortly|soon|momentarily)|joining (shortly|soon|now|momentarily))", "(one|two|<number>|just a|another|quick) (sec|secs|second|seconds|minute|minutes|moment|min|mins|tick) {and|please|<i>|will|coming|joining|be there|sorry} (coming|joining|be there|there|$)", "(almost|nearly) (there|done|ready)", "(finishing|wrapping) {_} up", "still (want to|coming|joining|on|planning|interested)", "(about|trying|ready|going) to (join|jump|hop|log|dial|connect|click|come on|get (on|in))", "will (join|jump on|hop on|log in|dial in|click) {_} (now|shortly|soon|momentarily|in a|asap)",
)  # fmt: skip

_HERE = _rules(
    "<i> (am|are) {<adv>|already|now|all|sitting|right|still|just} (here|in|on|there|inside|online|waiting|logged in|connected|(in|on|at) (the|your|this|a) {_} (room|meeting|call|lobby|zoom|line|waiting room|session|link|page|demo)) !(board|holiday|vacation|leave|my way|time|for|favor|the (phone|middle)|a (meeting|call)|another|hold|the way|it|london|and|town|traffic|train)",
    "(waiting|sitting|stuck|hanging out|been) {here|around|just|still|already|in} (alone $|(for|in|on) {the|your|a|_} (host|lobby|waiting room|room|rep|someone|somebody|you|her|him|anyone|everyone|meeting to start|it to start|meeting|zoom|organizer|organiser))",
    "(nobody|no one|no body|noone|none) {else|is|has|seems to be|from your} {is|has|have} {_} (there|here|on|joined|joining|showed|came|else|in|shown|turned up|around)", "only one (here|in|on|there)", "where {is|are} (everyone|everybody|you|u|the (host|rep|other*|team)|your (rep|host|guy|colleague|person)|he|she|they|your _) {guys|at} $", "(anyone|anybody|someone|somebody) (there|joining|coming|going to (join|come)|else joining|from your side)",
    "<i> {have|just|already|did|am} (joined|got in|logged in|logged on|connected|dialed in|made it in|clicked in) !(the wrong)", "^ [already] (here|joined|already in|in the room|in now|on now|made it) [now|already] $", "(in|on|inside) {the} [_] (room|meeting|call|lobby|waiting room|zoom) {now|already|but|and|all} (nobody|no one|alone|empty|now|already|by myself|waiting|where|where is)", "^ (in|on|inside) {the} [_] (room|meeting|call|lobby|waiting room|zoom) $", "(room|meeting|call|zoom|lobby) is empty", "it is just me",
)  # fmt: skip

_DOOR = "([the|your|this|that|my|zoom|meeting|join|joining|video|calendar|teams|new|right|correct] (link|url|links|invite|invitation|button|page|zoom|room|web page|webpage|website|site|passcode|password|code|dial in|app|browser|address|access|it|this|nothing|screen))"
_JOIN = _rules(
    f"{_DOOR} {{<adv>|is|seems|to be|just|keeps|has|also|looks|you sent [me]|in the (text|email)|for the (meeting|demo|call)|apparently}} (broken|dead|expired|wrong|invalid|faulty|bust|busted|kaput|failing|fails|failed|broke|404|bad|down|frozen|blank|stuck|spinning|gone|missing|says|saying|gives|giving|crashes|crashed|(does|will|is|did|has|can|would) not {{<adv>|be|even|to}} (work*|load*|open*|let* me|let* us|valid|go|going|connect*|launch*|respond*|there|click*|accept*)|not {{<adv>}} (work*|load*|open*|let* me|let* us|valid|respond*|connect*|found))",
    "(can not|could not|unable to|not able to) {<adv>|still|seem to|even} (get|log|dial|hop|connect|jump|enter|access|sign in|open|see the (link|button)) {in|into|on|onto|the meeting|the call|to|it|this|up|your} ($|call|meeting|zoom|room|demo|session|but|and|from|because|with|no|not|now|today|please|link|page|anymore|the (call|meeting|demo|zoom|session|room|link|video)|it|this|sorry|on my)", "(trouble|struggling to|difficulty|how do i|how can i|how to|where do i|where can i|where to|not letting me|will not let me|not let me|let me|problems|problem|issues|issue|failing to|trying to|how am i supposed to|how are we|tried to|how do we|where do we) {<adv>|still|seem to|with|even|supposed to|be able to|please|figure out how to} (get|getting|log|logging|dial|dialing|hop|join|joining|connect|connecting|jump|enter|entering|access|accessing|sign in|see the (link|button)) {in|into|on|onto|the meeting|the call|to|it|this|up|your} ($|call|meeting|zoom|room|demo|session|but|and|from|because|with|no|not|now|today|please|link|page|anymore|the (call|meeting|demo|zoom|session|room|link|video)|it|this|sorry|on my)",
    "(send|resend|re send|sending|forward|share|text|shoot|give|need|want|get|lost|find|missing|have|deleted|drop|see|got|misplaced|receive|received|locate) {me|us|over|again|can you|please|the|a|my|any|find|not|new|correct|right|working|that|email with|text with|message with} (link|invite|invitation|url|access link|join link|zoom|zoom link|meeting link|dial in|passcode|login|joining instructions|details to join|meeting id|joining details) {_} {again|please|once more|anywhere|yet|for (today|the _)|to (the|join)|with the _|$}",
    "(what|which|where) (is|was|are|s) {the|my|your|our|this|that|right|_} {_} (link|url|zoom|meeting link|invite|room|passcode|dial in)", "(which|what) (link|url|room|button|app|number) {do|should|am|am i|can|is} {i|we} {to|supposed to} (use|click|join|open|press|dial|go|call|take)", "(wrong|another|different|bad|broken|dead|expired|incorrect) (link|url|room|meeting room|page|invite)",
    "(says|shows|showing|getting|get|gives|giving|got|keep getting|saying|comes up|displays) {me|us|_} {an|a|the|_} (not found|error|errors|error message|expired|invalid|404|wrong|no such|does not exist|access denied|blank page|blank|blank screen|nothing|unavailable|white screen|incomplete|not complete)", "(nothing|not anything) {happens|happening|loads|comes up|opens} (when|if|after) <i>", "(takes|brings|leads|sends) me (to|nowhere) {a|an|the} (blank|white|wrong|empty|error|different|404)", "where do (i|we) (click|go|press|tap) {to|for|in|now} ($|join|get|enter|the (demo|meeting|call))", "(it|page|screen|app|that|link|just) {is|just|keeps|still} (spins|spinning|loading|buffering|freezes|freezing|crashing|hanging)", "^ {it|is|still|just} not working", "(send|resend|text) {it|that|me|again|over} {again|me|over} the [_] link", "not see {a|the|any} (link|url|button|invite)", "link please", "^ [the] link $", "(locked out|not let me in|will not let me in|not letting me in|kicked (me )?out|kicked out|kicks me out|keeps kicking me|booted)",
)  # fmt: skip
_OTHER_LINKS = _cuts(
    "(link|links|url) (to|for|of) {_} (recording|pricing|web site|website|docs|video|slides|brochure)",
    "(our|their|my company|my website|customers|clients) {_} (link|links|site|page|website|url|app)",
    "(link|links) {do|does|did|will|between|from} (your|our|the|customers|leads|clients|with) {_}",
)

_ANON = "(you|u|this|dis|it|that|there)"
_WHO = _rules(
    f"who {{the|hell|heck|on|earth|exactly|even|again|is it|are|was|is|am i|r}} {_ANON} {{guys|again|please|texting|calling|writing|anyway|from|exactly|then|messaging|people|and}} ($|again|from|texting|and|please|writing|messaging|calling|i|do|what|sorry|exactly|anyway|number)", f"who {_ANON} $", f"who (is|are|was|am) {{_}} {_ANON} $", "who (am|are) (i|we) {<adv>} (speaking|talking|texting|chatting|messaging|dealing|in touch)", "who (is|are|keeps|just) {texting|messaging|calling|writing|contacting|emailing} (texting|messaging|calling|writing|contacting|emailing) [me|us]", "(whose|who owns) {_} (number|phone|cell)", "who (sent|sends|wrote) {me|us} (this|that|it|me)",
    "(not|never|no idea|hardly) {<adv>|who|even} (recognize|recognise|recognizing) {who|this|the|your|that|you|whose|what} {this|number|your} {number|sender|company|name|contact|you|this|person|text} (number|sender|company|name|contact|is|are|$|this is|you are|saved|person|in my (phone|contacts))", "(not|never|no idea|hardly) {<adv>|even} know (who|you|whose|what number|what company) {this|the|your|that|you|it} {number|sender|company|name|contact|person|text} (number|sender|company|name|contact|is|are|$|this is|you are|person|from)", "(not|never|hardly) {<adv>|even} (know|have) (this|the|your|that) (number|sender|company|name|contact|person)", "do (i|we) know (you|u|this)", "(have|did) (we|i) (met|meet|spoken|speak|talked|signed up|sign up) {before|with you|to you|for this} $", "no idea who (this|you|u|that)",
    "what (is|was) (this|that|it|the (text|message|meeting|call|demo|appointment)) {even|all|actually|exactly|text|message|meeting} (about|for|regarding|concerning|in reference|re|in regards)", "(what|which) (company|business|firm|organisation|organization|place) {is|are|do|did|was|again|you|this|with} {this|you|it|from|represent|with|say|calling} {from|with|again|for} $", "(what|which) (demo|meeting|call|appointment|booking) is (this|that|it)", "^ [your] name $", "<you> {must} have [got] me (mixed|confused) {up}", "^ {sorry|wait|um|hold on} (what|which) (meeting|demo|appointment|call|booking|session) $", "(not|never|no) {<adv>|even|actually} (remember|recall|recollect|memory of|recollection of|booked|scheduled|signed|agreed|agree|book|schedule|sign|asked|ask) {_} {for|up|to|of} {booking|signing|scheduling|asking|this|making|requesting|setting|any|a|anything|it|you|the} (booking|signing|scheduling|asking|this|making|requesting|setting|any|a|anything|you|for|it|meeting|demo|appointment|that)",
    "(how|where) (did|do|have|would) <you> {_} (get|have|find|got|obtain|gotten|come by) {a hold of|hold of} [<my>] (number|contact|contacts|details|info*|phone|cell|mobile|name|this number)", "is (this|that|it) {<adv>|some|a|kind of|sort of|another|one of those} (spam|scam|legit|legitimate|phishing|junk|fraud|for real)", "why (are|do|did|am|would|have|is) (you|u|i|we|this number|somebody|someone) {keep|getting|been|get} (texting|messaging|calling|contacting|writing|emailing|text|call|texts|messages|message|getting)", "identify yourself", "^ {huh|sorry|excuse me|wait|um|oh} who $", "and (you|this) (are|is) $", "(remind|tell) me {again|please} (who|what) (you|this|company|that|it|u)", "(state|say) your (name|business)", "what do (you|u) (want|guys do|do exactly|people want) {from me} $", "(your name|who you are|who you work for) {please|again} $",
)  # fmt: skip
_WITH_WHOM = _cuts(
    "who {else|all} (will|is going to|would|is) {be|going|to} (on|in|at|joining|attending|there|leading|running|presenting|showing|doing) {_}",
    "who (is|are) (this|it|that) (for|with|by|aimed)",
)


@remembered
def said_of_coming(text: str) -> Word:
    """What these words say of coming to a meeting that stands; "" when nothing, or only yes or no. To have it moved or
    cancelled, or to be called, is a wish of its own (:mod:`.wishes`)."""
    words = _OTHERS.cut_from(spoken(text))
    if asks_cancel(text) or asks_move(text) or asks_callback(text) or asks_call_now(text):
        return ""
    door = _JOIN.found_in(_OTHER_LINKS.cut_from(words))
    if _HERE.found_in(words) and not door:
        return "here"
    if door:
        return "join"
    late, absent = _LATE.found_in(words), _ABSENT.found_in(words)
    if absent and not (late and _SURELY_COMES.found_in(words)):
        return "absent"
    if late:
        return "late"
    if _COMING.found_in(words):
        return "coming"
    return "who" if _WHO.found_in(_WITH_WHOM.cut_from(words)) else ""


_SURELY_COMES = _rules(
    "late",
    "(be|get|come|join*) {_} (there|on|with you|in|soon|asap|shortly|after)",
    "start without",
    f"(in|by) {_SPAN}",
    "on time",
    f"(give|need) [me] {{_}} {_SPAN}",
)
"""Said beside a reason, these tell that they only come later."""


# ---- yes ------------------------------------------------------------------------------------------------------------

_YES_SIGNS = frozenset("👍👌✅✔☑🆗🙌💯🤝🫡")
_LIKED = re.compile(r"^\s*(?:liked|loved|emphasi[sz]ed|👍|❤️?)\s*(?:to\s+)?[“\"']", re.IGNORECASE)
"""How phones tell of a tap on our message where they can send nothing but text."""
_FIRST = re.compile(r"(?<=[.!?;,\n])\s*|\s[-–—]\s")
_COMES = re.compile(
    r"(?:(?:ok|okay|yes|yeah|yep|yup|sure|great|perfect|thanks|thank you|cool|awesome|hi|hey|hello|all good|of course|definitely|absolutely|absolutely yes|indeed|sounds good|works|alright|lovely|brilliant|good|ty|"
    r"excellent|wonderful|fantastic|super|and|so|then|we|i|i'll|we'll|we're|i'm|will|shall|can|do|am|are|be|been|there|here|it|that|my|our|your|the|a|for|to|on|in|at|with|of|you|u|ya|all|me|us|"
    r"c|see|seeing|speak|talk|chat|catch|meet|meeting|call|demo|works|work|fine|still|set|ready|planning|plan|on it|looking|look|forward|count|got|have|calendar|diary|confirm|confirming|confirmed|confirmation|attend|attending|joining|join|coming|come|"
    r"bet|deal|done|noted|roger|affirmative|certainly|wouldn't miss it|for sure|no problem|no worries|very much|so much|again|team|soon|later|today|tomorrow|tonight|tmrw|then|(?:mon|tues|wednes|thurs|fri|satur|sun)day|morning|afternoon|evening|"
    r"am|pm|oclock|\d{1,2}|\d{1,2} \d\d|both|cheers|sir|maam|please|too|appreciate|time|same|place|thing|y|k|kk|sorry) ?)+"
)
_SHOWS_COMING = re.compile(
    r"\b(?:see (?:you|u|ya)|c (?:u|you)|speak (?:then|soon|tomorrow|to you|later|\w+day)|talk (?:then|soon|tomorrow|to you|later|\w+day)|chat (?:then|soon|tomorrow)|catch you|(?:be|see you|am|i'm) there|be on|look(?:ing)? forward|count (?:me|us) in|you bet|wouldn't miss|"
    r"confirm(?:ed|ing)?|(?:i'll|we'll|i will|we will|will) (?:be|attend|join|come|do)|i'm (?:coming|attending|joining|in|set|ready)|all set|(?:still|that|it|time) works|works (?:for (?:me|us)|great|fine)|for sure|have it|got it (?:on|in) (?:my|the) (?:calendar|diary)|on my calendar|in my (?:calendar|diary)|roger|affirmative|noted)\b"
)


@remembered
def confirms(text: str) -> bool:
    """Whether they say yes to the meeting, and nothing against it: "yes", "see you then", a thumb up. What else they say
    or ask is not looked at (:func:`only_confirms`)."""
    if _LIKED.match(text) or (not plain(text) and set(text) & _YES_SIGNS):
        return True
    if (
        asks_move(text)
        or asks_cancel(text)
        or hesitates(text)
        or re.search(r"\binstead\b", plain(text))
        or said_of_coming(text)
    ):
        return False
    return any(_whole_yes(clause) for clause in _FIRST.split(text) if clause.strip())


@remembered
def only_confirms(text: str) -> bool:
    """Whether they say yes to the meeting and nothing else: there is nothing to answer."""
    if not confirms(text):
        return False
    said = plain(text)
    return not said or bool(_LIKED.match(text)) or ("?" not in text and bool(_COMES.fullmatch(said)))


def _whole_yes(clause: str) -> bool:
    said = plain(clause)
    yes = is_confirmation(clause) or bool(_SHOWS_COMING.search(said))
    return yes and "?" not in clause and bool(_COMES.fullmatch(said))


# ---- how late -------------------------------------------------------------------------------------------------------

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15,
    "twenty": 20, "thirty": 30, "forty": 40, "sixty": 60, "couple": 2, "couple of": 2, "few": 5, "several": 5, "quarter": 15, "half": 30,
}  # fmt: skip
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_PAST = re.compile(rf"\b({_NUMBER})(?: minutes)? (?:past|after)\b")
_IN_HOURS = re.compile(r"\b(half an|quarter of an|three quarters of an|an|one|1|two|2) (?:hour|hr)s?\b")
_IN_MINUTES = re.compile(rf"\b(?:{_NUMBER} (?:to |or )?)?({_NUMBER})(?: more| extra| or so)? ?(?:minutes?|mins?|m)\b")
_BARE = re.compile(
    rf"\b(?:about|around|like|by|first|maybe|another|say|approximately|late by) ({_NUMBER})(?: late| behind)?(?: sorry)?(?= |$)|\b({_NUMBER}) (?:late|behind|out|away)\b|\bin ({_NUMBER})$"
)
_HOURS = {
    "half an": 30,
    "quarter of an": 15,
    "three quarters of an": 45,
    "an": 60,
    "one": 60,
    "1": 60,
    "two": 120,
    "2": 120,
}


def delay(text: str, minute: int = 0) -> timedelta | None:
    """By how much later they come, as far as they say; of "15 or 20 minutes" the longer. ``minute`` of the hour at which
    the meeting begins, for "quarter past". None when they do not say."""
    said = plain(re.sub(r"(?<=\d)\s*[-–]\s*(?=\d)", " to ", re.sub(r"(\d)(?=m(?:ins?)?\b)", r"\1 ", text.lower())))
    if hours := _IN_HOURS.search(said):
        return timedelta(minutes=_HOURS[hours[1]])
    if found := _IN_MINUTES.search(said):
        return timedelta(minutes=_count(found[1]))
    if past := _PAST.search(said):
        return timedelta(minutes=(_count(past[1]) - minute) % 60 or 60)
    if bare := _BARE.search(said):
        return timedelta(minutes=_count(bare[1] or bare[2] or bare[3]))
    return None


def _count(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word]
