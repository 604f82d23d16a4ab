"""Whether words take consent back: after them nothing is sent or dialled, on any channel.

Consent may be revoked in any reasonable words (47 CFR 64.1200(a)(10)), so no list of sentences will do. What is looked
for is built from parts: that something is to end (stop, no more, enough of) or must not be (don't, never, not to), with
something that reaches people (calls, texts, ringing); or that they are to be taken off what we keep; or that consent
goes. Where only the time, the place or the channel is refused ("not before ten", "not at work"), nothing was revoked.

Plain functions, in English and the Spanish of everyday; the tests hold a corpus with counter-examples.
"""

from __future__ import annotations

import re

from .spelling import mended
from .words import any_of


def _or(words: str) -> str:
    """A group of alternatives; ``_`` stands for a space inside one."""
    return "(?:" + "|".join(word.replace("_", " ") for word in words.split()) + ")"


# ---- the parts ----------------------------------------------------------------------------------------------------

_CALL = _or("call phone ring dial text sms message msg e?mail contact write robo_?call cold_?call reach_out follow_up get_in_touch")
_PESTER = _or("bother pester harass hound spam disturb solicit bug annoy buzz ping stalk chase badger")
_VERB = rf"(?:{_CALL}|{_PESTER}|send|come)"
_CALLING = _or(
    "calling phoning ringing diall?ing texting messaging msging e?mailing contacting writing robo_?calling cold_?calling reaching_out following_up"
    " blowing_up hitting sending"
)
_PESTERING = _or(
    "bothering pestering harassing harassment hounding spamming disturbing soliciting bugging annoying buzzing pinging stalking chasing badgering"
)
_NOUN = (
    r"(?:(?:phone |sales |robo ?|cold |marketing )?calls?|texts?|(?:text |voice )?messages?|e ?mails?|mails?|sms|contact(?! with (?!(?:me|us|him|her|my|our|this|the undersigned)\b))|communications?|correspondence"
    r"|solicitations?|solicitors?|outreach|spam|junk|follow ?ups?|voice ?mails?|notifications?|reminders?)"
)
_CALLED = _or("called phoned rung dialed texted messaged e?mailed contacted bothered disturbed solicited spammed reached")
_OWN = _or("number phone cell mobile line house home office work family wife husband mother mom mum father dad business company team kids")
_THEM = rf"(?:(?:to )?(?:me|us|here|him|her|them|back|this (?:number|line|phone|house|office|place|business|company)|(?:my|our) {_OWN}))"
_DATA = _or("number name names address phone details info information data e?mail contacts? contact_\\w+ records? digits")
_WHOSE = rf"(?:me|us|(?:my|our) (?:\w+ )?{_DATA}(?: {_DATA})?|this (?:number|line|phone|address)|everything about (?:me|us)|all (?:of )?my \w+)"
_FOREVER = r"(?:again|any ?more|ever again|ever|another time|one more time|no more)"
_YOU = r"(?:you(?: (?:guys|people|folks|all|lot))?|y'?all|your (?:company|people|team|bot|robot)|anybody|anyone|them|they)"
_NEVER = (
    r"(?:don't|dont|do not|(?:can|could|would|will|should|must) (?:you |y'all |they )?(?:guys |people |all |folks |please |just |kindly )*not|(?<!\bi )(?<!\bwe )(?<!\byou )(?<!\bthey )(?<!\bhe )(?<!\bshe )never|not to|no one should|nobody should)"
)
_HARDLY = r"(?:do not|don't|dont|didn't|did not|doesn't|not|never|no longer|wouldn't|nobody|no one)"

# What makes a refusal one of an hour, a place, a channel or a manner.
_DAY = _or("mondays? tuesdays? wednesdays? thursdays? fridays? saturdays? sundays? weekends? weekdays? holidays?")
_OTHERWISE = (
    rf"(?:before|after|until|till|unless|except|between|during|while|when|whenever|if|because|right now|now|just now|today|tonight|tomorrow|yet"
    r"|so|too|that (?:early|late|often|much)|this (?:early|late|often|morning|afternoon|evening|week|month|number for)|early|earlier|late|later"
    r"|at (?:\d|work|home|night|my|the|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|lunch|dinner|this time|that time)"
    r"|in (?:the|an|a|\d|ten|five) ?(?:mornings?|afternoons?|evenings?|middle|hour|minute|week|few|meantime|day)?"
    rf"|on (?:{_DAY}|my|the|a|that)|from (?:a|an|that|private|blocked|different)|every|twice|all the time|all day|by (?:phone|text|e ?mail)"
    r"|(?:and |just )?(?:text|e ?mail|write|message|call|ring) (?:me|us)|via|with(?! (?:me|us|the undersigned|my \w+|(?:all )?(?:(?:these|those|this|your|the) )?(?:\w+ )?(?:calls?|texts?|messages?|e ?mails?|spam))\b)|for"
    rf"|about (?:it )?(?:now|today|yet)|about the\b|{_DAY})"
)
_FOR_ANY_TIME = rf"(?! {_OTHERWISE}\b)"
_TITLE = r"(?! (?:me |us |him |her )?(?:sir|maam|madam|miss|mister|mr|mrs|honey|dear|buddy|dude|bro|sweetie|a|an|the|that|names|it|him|her|them)\b)"
"""After "calling" these are what somebody is called."""
_FEATURE = r"(?! (?:features?|modules?|part|options?|plan|tab|functions?|list|logs?|history|data|summary|notes)\b)"
_TAIL = (
    r"(?:again|any ?more|ever|back|please|at all|thanks|thank you|you|people|guys|period|okay|ok|whatsoever|for any reason|for anything"
    r"|under any circumstances?|any further|further|either|for good|forever|in any way|by any means|from now on|in (?:the )?future|going forward|moving forward|another time|one more time|no more|or (?:text|call"
    r"|e ?mail|message|contact|write)(?:ing)?(?: me| us)?|and|just|man|dude|bro|sir|maam|i mean it|about (?:this|that|anything|your \w+)"
    r"|with (?:this|that|your) \w+)"
)
_TOLD = rf"(?: {_THEM})*(?: {_TAIL})*$"
_WITH_CALLS = rf"(?:(?:{_CALLING}{_TITLE}|{_PESTERING}|{_NOUN}{_FEATURE})(?: {_THEM})*+\b{_FOR_ANY_TIME}(?! {_FOREVER} {_OTHERWISE}\b))"
_MEETING = r"(?:\w+ )?(?:\d+|meeting|slot|invite|invitation|appointment|booking|demo|trial|webinar|event|agenda|thread|loop)"

# ---- what it is built to ------------------------------------------------------------------------------------------

_ENDING = any_of(
    # That what reaches them is to end.
    r"\b(?:stop|quit|cease|halt|discontinue|refrain from|desist from|knock off|enough (?:with|of)|^enough|that's enough|more than enough|done with|sick of|tired of|fed up with|had it with|had"
    r" enough of|no need (?:for|of)|give up)(?: (?:with|of|all|any|it|the|these|those|your|this|that|you|guys|people|constantly|always|fucking|damn"
    rf"|bloody|stupid|freaking|sending|making|sales|further|future|and all|me|us|and desist))* {_WITH_CALLS}",
    rf"\b(?:no|not any|zero|not one)(?: (?:more|further|additional|future))+(?: (?:of|the|these|your|those|this|sales|marketing|unwanted))* {_WITH_CALLS}",
    rf"^(?:please )?no (?:{_NOUN}|{_CALLING})(?: (?:please|thanks|thank you|or (?:{_NOUN}|{_CALLING})|and (?:{_NOUN}|{_CALLING})|at all|{_THEM}))*$",
    r"\bend (?:these|the|your|all)(?: \w+)? (?:calls|texts|messages|e ?mails|communications?|harassment|spam)\b",
    rf"\b(?<!it )(?<!you )(?<!does )(?:cut|kill|shut (?:off|down)|turn off|switch off|call off|hold off on|lay off|ease (?:up|off) (?:on|with)|drop|deactivate|disable|terminate|suspend|silence|mute|nix|ditch|scrap|halt|cool it with|chill with)"
    rf"(?: out)?(?: (?:all|with|of|any|on))*(?: (?:the|these|those|your|this|that|my))+(?: (?:damn|fucking|stupid|sales|marketing|constant|automated))* {_NOUN}{_FEATURE}{_FOR_ANY_TIME}",
    rf"^(?:please |just |kindly )*(?:kill|shut off|turn off|switch off|cut|end|silence|disable|mute)(?: all)? {_NOUN}(?: please| now| off| out)*$",
    rf"\b{_NOUN}(?: \w+){{0,4}}? (?:must|should|shall|needs? to|has to|have to|ought to|are to|is to|to) (?:stop|cease|end|halt|discontinue)\b(?! (?:at|by|when|if|before|after|until|for|on) )",
    r"\b(?:it has to|it must|this must|this has to|this needs to) (?:stop|cease|end)(?: now| today| immediately| please)*$",
    r"\bwant (?:no|nothing) (?:(?:more|further|part) (?:of|to do with)|(?:part|more) (?:of|in)|to do with) (?:this|these|your|you|it|that|any)\b",
    # That it must not be.
    rf"{_NEVER}(?: (?:you|ever|dare|even|please|just|guys|people|folks|all|be|keep|try|trying|to|bother))*"
    rf" (?:{_CALL}|send|come|{_PESTER} {_THEM}|{_CALLING}|{_PESTERING}){_TITLE}{_TOLD}",
    rf"{_NEVER}(?: \w+){{0,3}}? {_VERB}(?: {_THEM})*(?: \w+)? {_FOREVER}\b(?! {_OTHERWISE}\b)",
    rf"\b{_HARDLY}(?: \w+){{0,2}}? (?:want|wants|wish|like|need|care|asked|ask|appreciate|accept|take|looking)(?: (?:to|for|you|guys|people|anyone|anybody|your"
    rf" company|them|any|more|of|your|these|those|the|further|have|get|getting|receive|receiving|be|being|another|ever|single|sales|marketing))*"
    rf" (?:{_VERB}(?: {_THEM})+\b{_FOR_ANY_TIME}|{_CALLED}\b{_FOR_ANY_TIME}|{_WITH_CALLS})",
    rf"\b{_HARDLY} (?:want|wish|care|need) to (?:ever )?(?:hear|get (?:anything|another \w+)) from (?:{_YOU}|this|your)",
    rf"\b{_HARDLY} (?:want|wish|care|need) to (?:talk|speak|deal|do business)(?: \w+){{0,4}} {_FOREVER}\b",
    rf"\b{_HARDLY}(?: \w+){{0,3}}? any (?:more|further|other) {_WITH_CALLS}",
    rf"\bcancel (?:all|any|every|these|those|the)(?: (?:future|further|more|other|these|those|your))* {_WITH_CALLS}",
    rf"\bno need to {_VERB}(?: {_THEM})*(?: \w+)? {_FOREVER}\b",
    rf"\b(?:nobody|no one|none of you)(?: \w+)? (?:calls|texts|phones|rings|e ?mails|messages|contacts|bothers)(?: {_THEM})",
    rf"\b(?:rather|prefer|appreciate it if|like it if|wish|asks?|asking|asked|request|requested|demand|insist)(?: that)? {_YOU}"
    rf" (?:not|never|didn't|don't|did not|would not|wouldn't|would stop|stopped|stop|quit)(?: {_VERB}| {_CALLING}| {_CALLED})?{_TOLD}",
    rf"\byou (?:can't|cannot|can not|may not|must not|mustn't|shouldn't|should not|are not (?:allowed|permitted|authori[sz]ed) to|have no (?:right|permission"
    rf"|business))(?: be| to)? (?:{_VERB}|{_CALLING})(?: {_THEM})+(?: {_TAIL})*$",
    rf"\b(?:asked|told|begged|telling|asking|warned)(?: (?:{_YOU}|him|her|your \w+|the \w+|someone|somebody))?(?: \w+){{0,3}}?"
    rf" (?:to (?:stop|quit|leave)\b(?! (?:by|worrying|it)\b)|not to (?:(?:ever )?(?:{_VERB}|be {_CALLED})\b(?: {_THEM})*+|$)){_FOR_ANY_TIME}",
    rf"(?<!was )(?<!were )(?<!you )(?<!have )(?<!got )\bnever (?:ever )?{_CALLED}(?: \w+){{0,3}}? {_FOREVER}\b",
    rf"\b(?:not|never) (?:to )?be {_CALLED}\b{_FOR_ANY_TIME}(?! (?:by (?!you)|so|that))",
    rf"\b(?:rather|prefer|like|wish) not (?:to )?(?:receive|get|have|be sent|hear)(?: (?:any|more|these|those|your|such|from|this))* (?:{_WITH_CALLS}|(?:these|those|this|you|any)$)",
    rf"\bobject to (?:being {_CALLED}|{_WITH_CALLS})",
    rf"\b{_NOUN}(?: \w+)? (?:is|are) (?:not |un)(?:welcome|wanted)\b",
    r"\b(?:said|say|saying|told you) no more\b|^no more$",
    r"^(?:discontinue|cease|desist|cease and desist)(?: please| now| at once| immediately)*$|^please (?:discontinue|cease|desist|quit)\b",
    rf"\bmind not (?:{_CALLING}|{_PESTERING}){_TOLD}",
    # Stop, as an order and not as an answer.
    r"\b(?:i|we) (?:already |just |have |have already )?(?:said|say|mean) (?:to |the word )?stop\b",
    r"\b(?:needs?|have|has|got|ought|must|going|please) (?:to )?stop(?: (?:it|this|that|now|already|please|immediately|right now|doing this|this now))*$",
    r"^(?:please |just |you must |would you |will you |can you |could you |can't you |for the last time )*stop(?: (?:it|this|that|all|all of (?:it|this)"
    r"|everything|immediately|at once|already|now|right now|please|ok|okay))+$",
    r"\bfor the (?:last|hundredth|tenth|third|second) time stop$|^(?:quit|cut|knock) it(?: off| out)?(?: already| please| now)*$|^enough(?: already| is enough)$",
    r"\b(?:this|it|be|interested|again|calls|number|enough|spam|harassment|texts|messages|emails) stop$",
    r"^(?:(?:please|just|kindly|will you|would you|can you|could you|you (?:need|have) to) )+stop$",
    rf"\b(?:decline|refuse|elect not|choose not) to (?:receive|get|accept|have|take)(?: (?:any|all|more|further|future|other|your|these|those))* {_WITH_CALLS}",
    rf"\bif {_YOU} (?:don't|do not|won't|will not|keep) (?:stop|quit|{_CALLING}|{_PESTERING}|it up)",
    r"\b(?:make|want|need|like) (?:all )?(?:of )?(?:it|this|you|them|that|these|those|(?:the|these|your) \w+)(?: all)?(?: to)? (?:stop|end|cease|go away)(?: please| now| immediately| right now| coming| arriving| already| for good)*$",
    r"\b(?:i'm|i am|we're|we are|^) ?(?:so )?done with (?:this$|you|it all|all (?:of )?this|your (?:company|calls?))\b",
)
_REMOVAL = any_of(
    rf"\b(?:take|(?<!did you )get|remove|delete|erase|scrub|drop|strike|cross|purge|wipe|pull|keep|clear|scratch) {_WHOSE}(?: \w+)? (?:off|from|out of|out|of(?= (?:your|the|this|that) (?:\w+ )?list))\b"
    rf"(?! (?:speaker|hold|mute|here|my|work|bed|guard|of (?:here|my|bed|the loop)|(?:of )?(?:the|this|that|our) (?:{_MEETING}|line|phone|call|office)|you (?:a|the)))",
    rf"\b(?:remove|delete|erase|purge|unlist|deregister|unregister|blacklist) {_WHOSE}(?! (?:from|off)\b)(?! \w+ (?:item|slot|time)\b){_FOR_ANY_TIME}",
    rf"\b(?:want|like|need|have|get|see|wants) (?:{_WHOSE} |to be |us )(?:be )?(?:removed|deleted|erased|unsubscribed|taken off|taken out|off (?:your|every\w*|that|all|this list|the list))\b(?! (?:from |of )?(?:the|this|that) {_MEETING})",
    r"\b(?:get|be|come|take|taken|want|like|need|wish|am|i'm|remain|stay)(?: (?:me|us|to be|myself))? off (?:of )?(?:this|your|that|the) (?:\w+ )?(?:list|database|system|register|rota)\b",
    rf"\bto be (?:removed|deleted|erased|unsubscribed|taken off|forgotten)\b(?! (?:from |of )?(?:the|this|that) {_MEETING})",
    r"\boff (?:of )?your (?:\w+ )?(?:list|lists|sheet|system|database|books|records|dialer|dialler|file|files|rolodex|contacts|registers?)\b",
    r"\b(?:erase|delete|remove|destroy|wipe|purge) (?:everything|anything|all|whatever)(?: \w+){0,4} (?:on|about|of) (?:me|us)\b",
    rf"\b(?:my|our|this) {_DATA}\b.{{0,80}}\b(?:delete|erase|remove|lose|forget|destroy|get rid of) (?:it|that|them)(?: please| now)?$",
    rf"\b(?:lose|forget|throw (?:away|out)|shred|burn|rip up|trash|dump|destroy) (?:my|this|our|you ever had my|you had my|you have my) {_DATA}",
    r"\bforget (?:that )?(?:i|we) exist",
    r"\b(?:do[ -]?not|don't|dont|no|never)[ -](?:call|contact|text|solicit)(?:ing)? (?:list|registry|register|requests?)\b",
    r"\bdnc\b|\b(?:national|federal|state|government)(?: \w+){0,3}? (?:registry|register)\b|\bon the tps\b",
    r"\b(?:add|put|place|get|block) (?:me|us|my \w+|this number) (?:on|to|in|onto) (?:your|the|a|that) (?:\w+ )?(?:do not|dont|don't|no|never|block|black|suppression|stop)",
    r"\bunsub(?:scribe)?\b(?! (?:rates?|links?|buttons?|process|flow|page|feature)\b)(?! from (?:our|my) )",
    r"(?<!\bleads )(?<!\bpeople )(?<!\bthey )(?<!\bcustomers )(?<!\bclients )\bopt(?:ed|ing|s)? ?(?:me |us |my number |this number )?out\b(?! (?:problem|issue|rate|process|form|page|button|link|policy|feature|option|clause|period|keyword|record|handling|status|footer|wording)s?\b)(?! (?:takes?|took) effect\b)(?! (?:of|for) (?:(?:the|that|this|my) )?(?!(?:\w+ )?(?:calls?|texts?|messages?|e ?mails?|list|contact|marketing|everything|all|this|it|these)\b))",
    r"\b(?:i'm|i am|i'll|i will|gonna|going to|about to) (?:be )?(?:block(?:ing)? (?:you|this number|your|the number)|report(?:ing)? (?:this|your|the) number)\b|\b(?:i'm|i'll|i am|i will|gonna) (?:be )?block(?:ing)? (?:this|it)$",
    r"\b(?:report|mark)(?:ing|ed)?(?: (?:you|this|it|them|your \w+|this \w+))?(?: all)? (?:as|for) (?:spam|harassment|junk|abuse|robo ?call\w*)\b",
    r"\b(?:i|we)(?: have|'ve| already| just| am| was)* unsubscribed\b(?! (?:from|to) (?:our|my|that|the old|another)\b)",
    r"\bnot interested (?:please |and |so |just )*(?:remove|delete|unsubscribe|stop|end|quit|cancel)(?: me| this)?$",
    r"\bi want out(?: of (?:this|your|it|all))?\b|\bcount me out of (?:this|your|all)\b|\b(?:i'm|i am) out of this\b",
    rf"\b(?:don't|dont|do not|never|not|no longer)(?: \w+)? (?:use|keep|store|process|hold|retain)(?: or \w+)? {_WHOSE}",
    r"\b(?:number|phone|line|address|email|inbox|cell) is (?:not|never|neither) (?:for|to be used for|open to|available for|meant for)(?: any| your)? (?:marketing|sales|solicitation|solicitations|solicitors|advertis\w+|telemarket\w+|commercial|business|spam|cold)\b",
    rf"\b(?:deactivate|disable|suppress|exclude|strike|unlist|deregister|retire) {_WHOSE}(?: (?:in|from|on|off|as) |$| please| now)",
    rf"\b(?:want|need|like|have|get|see|wants|please make) {_WHOSE} (?:\w+ )?(?:gone|removed|deleted|erased|wiped|cleared|scrubbed|purged|forgotten)\b(?! (?:of |from )?(?:the|this|that) {_MEETING})",
    r"\b(?:lose|forget|erase|burn|shred|throw (?:away|out)|trash) (?:the|that) (?:phone )?number\b",
    rf"\b(?:be|being|get|stay|remain|keep me|leave me|keep us|leave us) (?:left |kept |taken )?(?:off|out of)(?: (?:of|all|any|your|the|this|these|future|further|such))* (?:{_NOUN}|lists?|database|mailings?|campaigns?)\b",
    r"^forget (?:me|us)$|\bright to (?:be forgotten|erasure)\b|\b(?:gdpr|ccpa|erasure|deletion|data removal) (?:deletion |erasure |removal )?request\b",
    r"\bwrong number (?:so )?(?:stop|quit|remove)\b",
)
_CONSENT = any_of(
    r"\b(?:revok\w+|withdraw\w*|rescind\w*|retract\w*|pull(?:ing)?|tak(?:e|ing) back|cancel\w*|terminat\w+|end)(?: (?:all|any|and|of|my|our|the|prior|previous|that|this|express|every|implied|your|whatever|said))*"
    r" (?:consent|permission|authori[sz]ation|opt ?in|approval|subscription)\b",
    rf"\b{_HARDLY}(?: \w+)? (?:consent|consented|authori[sz]ed?|agreed?|give|gave|given|granted?|have)(?: you| to)?(?: my| our| any)? ?"
    rf"(?:(?:consent|permission|authori[sz]ation)(?:$| to (?:be )?(?:{_VERB}|{_CALLED})| for (?:this|these|any|calls|texts)\b)"
    rf"|(?:to )?(?:be |being |any |these |your |these sales )*(?:{_CALLED}|{_NOUN}|{_CALLING})\b)",
    r"\b(?:consent|permission|authori[sz]ation)(?: \w+){0,6}? (?:(?:is|has|been|was|hereby|now) )*(?:revoked|withdrawn|rescinded|cancell?ed|terminated|removed)\b",
    r"\bcease and desist\b",
    r"\b(?:leave|let) (?:me|us|my \w+|our \w+)(?: the \w+)? (?:alone|in peace|be)(?: (?:please|now|already|ok|okay))*(?:$| (?:or|and|i|you|before|and stop)\b)",
    r"\b(?:be|being|get) left (?:alone|in peace)\b",
    rf"\bblock (?:me|{_WHOSE}) (?:from|in|on) (?:your|the) \w+",
    r"\b(?:go away|get lost|buzz off|back off|piss off|bugger off|fuck off|f off|eff off|shove off|screw off|take a hike)\b",
    rf"\b(?:if|next time|ever|should) {_YOU}(?: \w+){{0,3}}? {_VERB}\b.{{0,80}}\b(?:lawyer|sue|suing|report|police|attorney|fcc|ftc|court|legal action|regret|complaint|block)",
    rf"\b(?:one more|another|next|any more|any further|any other) (?:{_NOUN}|time)\b.{{0,60}}\b(?:lawyer|sue|suing|report|police|attorney|fcc|ftc|court|legal action)\b",
    rf"\b(?:lawyer|sue|suing|report|police|attorney|fcc|ftc|court|legal action)\b.{{0,80}}\bif {_YOU}(?: \w+){{0,2}}? {_VERB}\b",
)
_SPANISH = any_of(
    r"\b(?:no|nunca|jamás) (?:me |nos |le |vuelvan? a |vuelvas a |quiero que (?:me )?|deseo que (?:me )?|me vuelvan? a )*(?:llam(?=e|a[drn])|escrib|contact(?=[aeé])|molest|mand|envi|env[ií]|text(?=ee)|marqu|vuelv)\w*\b"
    r"(?! (?:antes|después|hasta|ahora|hoy|mañana|el|la|en|a las|por|tan|cuando|mientras))",
    r"\bno (?:quiero|deseo) (?:más |recibir (?:más )?|que me |sus )*(?:llam|mensaj|correo|text|contact)\w*",
    r"\b(?:qu[ií]t|s[aá]qu|b[oó]rr|elim[ií]n|rem[uú]ev|d[eé])\w*(?:me|nos)\b(?: \w+)*(?: (?:lista|base|datos|registro|baja))?",
    r"\b(?:borr|elimin|quit|sac)\w* mi (?:número|nombre|información|datos)",
    r"\bd[eé]j\w*(?:me|nos) (?:en paz|tranquil|de (?:llam|molest|mand|escrib|envi))\w*|\bdej\w* de (?:llam|molest|mand|escrib|envi|text)\w*",
    r"\b(?<!no )(?:par(?!a\b)\w*|para(?= ya| de)|bast\w*) (?:de|ya)? ?(?:de )?(?:llam|molest|mand|escrib|mensaj|envi)\w*|^(?:ya )?(?:basta|alto|pare|paren|parar|detener|baja)(?: ya| por favor)*$|\bdar(?:me|se|nos)? de baja\b"
    r"|\bcancel(?:ar?|en|e) (?:(?:mi|la|esta|todos|todas|los|las|sus|estos|estas) )*(?:suscripci[oó]n|mensajes|llamadas|textos|correos)\b|\bdesuscr[ií]b\w+",
    r"\bno más (?:llamad|mensaj|text|correo)\w*|\bya no (?:me )?(?:llam|mand|escrib|envi|quiero|contact)\w*\b(?! (?:antes|a las))",
)
_MEANS_IT = (_ENDING, _REMOVAL, _CONSENT, _SPANISH)

_NOT_MEANT = any_of(
    r"\b(?<!\bif you )(?:don't|dont|do not|never|can't|cannot|couldn't|didn't|not)(?: (?:want|mean|need|plan|wish|going) to| wanna| yet)? (?:opt|unsubscribe|remove|take|delete|stop|leave|lose|put|revoke|quit|drop|get|block)\b"
    rf"(?! (?:{_CALLING}|{_PESTERING}|(?:me |us )?any))",
    r"\b(?:you|they) (?:can|could|may) (?:always )?(?:opt|unsubscribe)\b",
    r"\b(?:lists?|leads|numbers|contacts) against (?:the|your|a|every) (?:\w+ ){0,2}(?:do not call|dnc)(?: list| registry| register)?\b",
    r"\b(?:unsubscribed|opted out|(?:hit|pressed|clicked|tapped|sent|texted|wrote) (?:the )?(?:unsubscribe|opt out|stop)(?: link| button)?) (?:by (?:accident|mistake)|accidentally|mistakenly|without meaning to)\b"
    r"|\b(?:accidentally|mistakenly) (?:unsubscribed|opted out|(?:hit|pressed|clicked|tapped|sent|texted|wrote) (?:the )?(?:unsubscribe|opt out|stop))\b",
    r"\b(?:if|how do|how can|can|could|what if|when|do) i (?:want to |wanted to |ever )?(?:opt|unsubscribe|stop|end|cancel|quit|revoke|delete|remove|terminate)\b",
    r"\bstop (?:by|over|in|off|there|sharing|here for)\b",
    # Whom they would rather not have to call themselves.
    rf"\b(?:i|we)(?:'d|'m|'re)?(?: (?:really|just|would|also|am|are|only))? (?:want|need|like|have|love|hope|wish|trying|looking|ought|plan) to (?:finally |be able to )?(?:stop|quit) (?:{_CALLING})"
    r" (?:(?:the|our|every|each|all the|all our) (?!house\b|home\b|number\b|phone\b|line\b|cell\b|family\b)\w+|around|suppliers|vendors|drivers|customers)\b",
    r"\bcalling (?:it|him|her|them|that) \w+",
    r"^(?:does|do|is|are|how does|how do) (?:your|the|it|this|you) (?:\w+ ){0,3}?(?:check|scrub|honou?r|screen|sync|support|handle|use)\w*(?: \w+){0,4}? (?:list|lists|registry|register)$",
)
_INSTEAD = any_of(
    rf"^(?:please |you can |you could |better |but |and |only |just )*(?:(?:use|try|{_CALL})(?: (?:me|us|this (?:number|one)|my \w+|the (?:other )?\w+))|use \w+)(?: \w+){{0,3}}$",
    r"^(?:please |yes |and |only |just |do |ok )*send (?:me|us|it|over)\b",
    rf"\b(?:just|rather|instead|only) (?:use|try|{_CALL})\b|\b(?:text|e ?mail|call|message) instead\b|\binstead$"
    r"|\b(?:text|texts|e ?mail|mail|phone|calls?|mobile|office|texting|calling|e ?mailing|sms) (?:is|are|works|would be|s) (?:much )?(?:better|best|fine|easier|preferred)\b",
    r"\bstill (?:want|need|like|keen on|up for|on for|interested in) (?:the|a|my|our) (?:\w+ )?(?:demo|meeting|call|appointment|trial|quote|visit|slot|booking)\b",
    r"^ll[aá]m(?:e|en|a|ame|eme|enme)\b|\bll[aá]m(?:e|en|a|ame|eme|enme) (?:el|a las?|en|por)\b",
)
"""Another way or another time is asked for: what was refused is this one ..."""
_FOR_GOOD = re.compile(r"\b(?:again|any ?more|ever|stop|quit|remove|list|unsubscribe|opt|cease|all(?! day| week| month| morning| afternoon| the time| good)|consent|block)\b")
"""... unless it is refused for good."""
_IN_JEST = re.compile(r"\bstop it,? (?:you're|you are|you) (?:too kind|so kind|so sweet|making me (?:laugh|blush))\b")
"""What is to stop is praise."""
_LAST_WORD = re.compile(r"^(?:please |just |now )*(?:stop|quit)(?: it| please| now)?$")
_HOLD_ON = re.compile(
    r"^(?:(?:no|wait|hang on|hold on|hold it|sorry|stop|okay|ok|sir|maam|one sec|one second|just a second|yes|yeah|and|then) ?)*$"
)
_CLAUSE = re.compile(r"[.;:!?\n]+|,\s|\s[-\u2013\u2014]+\s|\bbut\b|\bhowever\b|\bbecause\b")
_NOISE = re.compile(
    r"\b(?:um|uh|er|erm|(?<!'d )(?<!would )like(?! to)|hey|hi|hello|well|so|look|listen|okay|ok|oh|yo|actually|really|honestly|seriously|kindly|man|dude|bro|hon|i repeat)\b"
)
_PARTING = re.compile(r"(?:(?:^| )(?:please|thanks|thank you|goodbye|good bye|bye|have a (?:good|nice) (?:day|one)))+$")


def revokes(text: str) -> bool:
    """Whether ``text``, a text message or the transcript of what somebody said, takes consent back. It is judged clause
    by clause and over the whole: "not on Tuesday, stop calling me" holds both."""
    said = _IN_JEST.sub(" ", mended(text))
    clauses = [clause for part in _CLAUSE.split(said) if (clause := _bare(part))]
    whole = _bare(said)
    if any(_INSTEAD.search(clause) for clause in clauses) and not _FOR_GOOD.search(whole):
        return False
    if clauses and _LAST_WORD.search(clauses[-1]):
        before = clauses[:-1]
        insists = clauses[-1] != "stop" and any("stop" in clause for clause in before)
        if insists or (not all(map(_HOLD_ON.search, before)) if before else "stop" in clauses[0]):
            return True
    return any(_taken_back(clause) for clause in dict.fromkeys((*clauses, whole)))


def _bare(text: str) -> str:
    words = re.sub(r"[^a-z0-9áéíóúñü' ]+", " ", text.replace("e-mail", "email").replace("opt-out", "opt out"))
    return _PARTING.sub("", " ".join(_NOISE.sub(" ", words).split()))


def _taken_back(clause: str) -> bool:
    meant = " ".join(_NOT_MEANT.sub(" ", clause).split())
    return any(pattern.search(meant) for pattern in _MEANS_IT)
