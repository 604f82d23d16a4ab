"""Words that may take consent back and may not: after them contact is suspended until a person has looked.

The second tier of :mod:`.revocation`, and a wide net: it is asked only where the first found nothing. It holds what people
say who have had enough (weariness, reproach, insult, a threat), the question how one gets rid of us, and any refusal next
to a word for contact that no hour, place or other channel explains. A wrong suspicion costs a person's glance, a missed
opt-out a lawsuit. In the notation of :mod:`.grammar`, English, the Spanish of everyday and a little of other languages.
What no rule knows is weighed (:mod:`.leaning`).
"""

from __future__ import annotations

from .grammar import Grammar, spoken
from .revocation import revokes
from .spelling import mended
from .words import plain, remembered

_GRAMMAR = Grammar({
    "you": "(you [guys|people|folks|lot|all]|ya|your (company|people|team|bot|lot)|this company|they|them)",
    "me": "(me|us|here|this (number|line|phone|address|inbox)|(my|our) [_] (number|phone|cell|mobile|inbox|wife|husband|mother|father|family|office|house|home|line))",
    "call": "(call|calls|calling|ring|ringing|phone|phoning|text|texts|texting|message|messages|messaging|email|emails|emailing|mail|mails|mailing|contact|contacting"
    "|sms|write|writing|voicemail|voicemails|notification|notifications|reach out|reaching out|follow up|following up)",
    "pester": "(bother*|pester*|harass*|spam*|hound*|annoy*|bug|bugging|nag|nagging|stalk*|badger*|hassle*|hassling|disturb*|pinging|buzzing|blow* up)",
    "more": "(another|more|yet another|one more|again with the|still with the|all these|all those|so many|too many|these constant|constant|endless|nonstop|non stop|this many|that many)",
    "law": "(lawyer*|attorney*|police|fcc|ftc|tcpa|gdpr|lawsuit|sue|suing|legal action|small claims|court|attorney general|better business bureau|bbb|ombudsman|data protection)",
    "list": "([mailing|calling|call|contact|marketing|phone] (list|database|records|crm|rolodex)|your (list|system|files|file))",
    "off": "(unsubscribe*|opt [me] out|opt * out|get off|get out of|be removed|get removed|get rid of <you>|get my (number|name|email|data) (off|removed|deleted)|make <you> stop|make (this|it) stop|stop (these|your|getting))",
    "end": "(stop*|quit|quitting|ceas*|halt|desist|discontinu*|remov*|delet*|erase*|unsubscrib*|opt out|opted out|opting out|opt me out|block*|revok*|withdraw*|rescind*|do not call|suppress*|registry|harass*"
    "|consent|permission|authoriz*|lose|scratch|cancel*|never|no longer|anymore|any more|no more|fed up|terminat*|elimin*|borr*|cancele*|no part)",
    "reach": "(<call>|called|texted|emailed|contacted|digits|list|database|records|spam*|communication*|marketing|inbox|outreach|hit* (me|us) up|solicit*|robo*|subscription|(my|our|this) (name|info*|data|details|number|line|phone)"
    "|mensaj*|llamad*|numero|correo*|datos|lista|textos)",
    "hard": "(ceas*|desist|discontinu*|unsubscrib*|opt out|opted out|opting out|opt me out|revok*|rescind*|reject*|refus*|declin*|zero|denied|deny|denies|solicit*|harass*"
    "|stop|stopped|stops|quit|halt|remov*|delet*|eras*|suppress*|no longer|never again|not giving|not give|withdraw*|deten*|elimin*|borr*|par*r|paren|fuera)",
    "swear": "(fuck* !(yes)|screw you|goddamn|asshole*|idiot*|moron*|bastard*|jerk*|scum*|creep*|scam|scammer*|scammers|fraud*|stalker*|parasite*|leech*|clown*)",
})  # fmt: skip

_BARE = frozenset(("again", "what again", "oh again", "ugh again", "really again", "wow again", "great again"))
"""Not "hello again"."""
_ALONE = _GRAMMAR.rules(
    "^ [ugh|oh|god|wow|lol|jeez|omg] [great] [really] [what] (not (again|you|this|another)|(you|this) again|another (one|call|text|message|email)|here we go again) [again] [really] $",
    "^ (ugh*|argh*|grr*|sigh|are you (serious|kidding|joking) [me] [right now]|what do you want [from me]|why me|what now) $",
    "^ [oh] [no] (leave it [alone|there|be|at that]|leave|let it (go|be|rest)|drop it|forget it|forget about it [all]|enough|i am (done|out)|we are done [here]|done|i am so done|move on|get a life|get a hint|take the hint|take a hint|take no for an answer) [already|now] $",
    "^ (no [no] (no [no]|means no|is no)|i said no|we said no|still no|hell no|the answer is [still] no|for the last time no|absolutely not|never|never again|never ever|no never|no not ever|not ever|no more [please|already] [and] [thanks]) $",
    "^ [no] (do not|do not you dare|do not bother|please do not|please no|not again please|never contact|no contact) $",
    "^ [all|just|yet] [more] (spam|junk|scam|scammer|scammers|harassment|nuisance|garbage|unwanted|not wanted|unwelcome|not welcome|block|blocked|blocking|blocked and reported|reported|remove|delete|deleted|remove please|off|out|go|shoo|scram|silence|peace|quiet|shut up|shush|mute|muted) $",
    "^ (end (this|it|it all)|cancel (everything|all|it all|all of it|all of this)|remove (this|it|all|everything|number)|delete (this|it|all|everything|number)|please (remove|delete|end|go|leave)|make it end) $",
    "^ (i|we) have had (enough|it [up to here]) [of (this|you|it)|with (this|you|it)] $",
    "^ (i|we) (do not|never) [really] (want|need) (this|any of this|to be (on|part of|in) (this|it)) $",
    "^ (arretez|arret|desabonner|desinscription|abmelden|aufhoren|stopp|parar|sair|exit|remover|detener|detenganse|terminar|cancelar|cancele) $",
    "^ (go|away|goodbye forever|good riddance|bye forever|lose it|get out|not your business|none of your business|mind your [own] business) $",
    "^ [no] (pack it in|jog on|sling your hook|talk to the hand|zip it|hush|spare me [the|another] [next] [one|call|text|message]) $",
    "^ (nada|basta [ya]|ya basta|ya estuvo|ya no|no mas|otra vez [no]|no otra vez|ya parenle|no insist*|ya les dije que no|que no|dejenme|dejame|deje|largo|fuera|parenle|no jodan|no quiero [nada]) $",
)  # fmt: skip
_ANYWHERE = _GRAMMAR.rules(
    # Had enough, and reproach.
    "for the love of (god|all|pete|everything)|(are|r) you (kidding|serious|joking|insane|crazy|for real|high|stupid|deaf) [me] with (this|these|<call>)|(so|totally|completely|just) over (this|it|you|these)",
    "(is|will) there (no|ever be an|ever an|any) end|why (will|do|can) (<you> not|not <you>) (quit|stop|give up|leave|let|listen|understand)|(stop|no|enough) means (stop|no|enough)",
    "(jeez|ugh|omg|wtf|argh|christ|jesus|gosh|seriously|come on|please|dude|bro|man) (enough|again|already)|not (you|this|these) [people|guys|again|shit|crap|company] again|enough is enough",
    "(passed away|is deceased|was deceased|has died|(he|she|husband|wife|mother|father|mom|mum|dad|owner|man|woman) is dead|no longer with us|rest in peace)|(child|kid|son|daughter|minor|student|grandma|elderly) [s] (phone|number|line)|this is a (private|personal|hospital|emergency|school|unlisted|government|childs|kids) (number|phone|line|cell|address)",
    "(i am|we are|i have been) fed up|what is (wrong with|the matter with|up with) <you>|what is your problem|(i|we) [have] [already] told <you> (already|no|people|guys|before|once|twice|$)|not cool $|got to be (joking|kidding)",
    "(i am|i will) not [going to] (ask|tell|say|repeat) [<you>|it|this|myself|you this] [again|twice]|(last|final) (warning|time i)|(who|how) [keeps|keep|did|is] [giving|give|given|gave|got|get] [you|out] (my|our) (number|email|name|details)",
    "(get|stay|keep) off (my|our|of my) (phone|back|case|line|property|inbox)|no (soliciting|solicitors|solicitation)|do not solicit|pushing (it|your luck|me)|(come on|seriously) (man|guys|people|dude) ~ $",
    "(want|turn|get|switch|take) (these|this|the|those|your) [<call>|alerts|notifications|updates] off $|(wrong (guy|man|lady|woman|person|one)) ~ (off|stop*|remove|quit)|do you [people|guys|folks|ever] [ever] sleep|nadie ~ (autoriz*|permiso)",
    "i would stop ~ if i (was|were) you|enough already|give (it|this|that) a (rest|break)|give (me|us) (a break|some peace|peace) $|knock it off|cut it out",
    "(how many [more] times|how often) [do|must|have|should|will] [i|we] [have to|got to|need to|to] (tell|say|ask|repeat|told|said|asked)",
    "(how many [more] times|how often) (do|must|will|are) <you> [going to] (<call>|<pester>|try|keep)",
    "what part of (no|stop|not|do not|never)|which part of (no|stop|not|do not|never)|(do|can) not you (understand|take) (no|a no|a hint|english)|no means no",
    "(this|it) [all] is (getting|becoming|being) [really|very|so|a bit|quite|pretty|beyond] (ridiculous|old|annoying|tiresome|out of hand|too much|creepy|weird|excessive|intrusive|irritating|silly|absurd)",
    "(this|that|it) is [really|very|so|just|pure|plain|such|a|an|clearly] [beyond] (harass*|spam|a nuisance|nuisance|intrusive|excessive|unsolicited|unwanted|stalking|an invasion)",
    "<you> (never|do not|will not|can not|just will not|just do not|just can not|simply do not) (stop|quit|learn|listen|give up|let up|take no|get it|get the (hint|message)|leave)",
    "<you> are [so|really|very|being|just|getting] (bothering|annoying|harassing|spamming|pestering|hounding|irritating|relentless|persistent|intrusive|a nuisance|a pest|pests|stalking|bugging|unbelievable|the worst) [<me>]",
    "getting on my nerves|driving me (crazy|mad|nuts|insane|up the wall)|pain in the|pissing me off|sick to death|had it up to here|at my wits end|losing my patience|running out of patience|last nerve|lost my patience",
    "(for|oh for) (god|gods|heavens|heaven|christ|christs|christ's|pete|petes|goodness|fuck|fucks) sake|jesus christ|oh my god not",
    "(can|could|will|would) (you|ya|<you>) [please|just|all] (chill|back off|relax with|calm down with|let up|ease off|lay off|knock)",
    "(lay off|ease off|back off|let up|bugger|beat it|get bent|get stuffed|get lost|shut up|go to hell|drop dead|go fuck|screw you|fuck you|fuck off|kiss my|bite me)",
    "(i|we) [have] [got] (nothing|zero interest) [more] (to say|to discuss|to talk about|in (talking|speaking|hearing)) [to|with|from] [you]",
    "(i|we) (do not|did not|never) [ever] (ask*|want*|request*|sign* up|signed|subscribe*|agree*|consent*|opt*|care|register*) [for|to|in|up] [for|to] (this|any of this|these|that you|it|be (part|on|in) [of] (this|it))  $",
    "(i|we) (do not|did not|never) [ever] (ask*|request*|sign* up|signed|subscribe*|agree*|consent*|opt* in) [for|to|in|up] [for|to] (this|any of this|these|your) [<call>|newsletter|list]",
    "(find|go|pick|try) [and] [someone|somebody] (bother|pester|annoy|bug|someone else to|somebody else to|harass) [someone|somebody] [else]",
    "(why|how come) (do|are|will|would) <you> [guys] (keep|keep on|still|continue|always|constantly|not) ~ (<call>|<pester>|doing this|trying|on)",
    "<you> (keep|keep on|kept|continue to|constantly|always|are still|still) ~ (<call>|<pester>) [<me>]",
    # More of it than they want.
    "(four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|dozens of|a dozen|a hundred) [_] (voicemails|calls|texts|messages|emails) (from (<you>|your)|this week|today|already|a day|in (a|one|two|three) (day|days|week|hours))",
    "(nobody|no one|none of us) [_] [_] [_] wants to (talk|speak|listen|hear) (to|from|with) <you>",
    "(sick|tired|fed up|done|weary|exhausted) (of|with|by) (<you>|this $|all (of this|this) $|(your|these|the|all|this) ~ (<call>|<pester>|constant*))",
    # How to be rid of us, and where we have them from.
    "(why|how|where|who) ~ (my|our|this) [_] (number|name|email|address|details|info|information|data)",
    "(why|how) (am|is|are|was|were|did) !(i not|we not) (i|we|my|our) ~ [get] [put] (on|in|onto) ~ <list>",
    "(i|we) (should not|did not|do not|never) ~ (be|belong|ask|want) ~ (on|in) ~ <list>|on the wrong list|wrong list",
    # Threats and insults.
    "(i|we) (will|am|are|am going to|are going to|shall|may|might|can) [now|be|have to] [now|be] ((report*|block*|sue|suing) (<you>|this|your|it $)|(complain*|file* a complaint) (about <you>|about this|to|$)|call* [the|my] <law>|contact* [my|a|the] <law>|press charges)",
    "<law> ~ (<you>|your|this|hear*|contact*|involved|next)|(against|violat*|breach*|illegal*|unlawful*) ~ (<law>|the law|dnc|do not call)",
    "(this is|that is|you are [breaking|in]) (illegal|against the law|unlawful|the law|violation|breach)",
    "<swear> ~ (<you>|<call>)|(<you>|<call>) ~ <swear>|you (are|bunch|fucking|stupid|damn) ~ <swear>",
    "(never|do not|no) [ever] [want to|wish to|care to] (hear|talk|speak|deal|do business|work|be associated) (from|to|with) <you>",
    "(i|we) (want|demand|insist on|would like|need) [to] [some|be] (peace|quiet|silence|privacy|my privacy|left)",
    "(respect|invasion of|violating|invading) (my|our|of) (privacy|wishes|space|decision|time)|no longer welcome|not welcome|(unwelcome|unsolicited|unwanted) [marketing|sales] <call>",
    "(ditch|scrap|bin|trash|junk) (my|this|our) (number|email|info|details|data|contact*)|lose interest in (me|us)",
    "(wrong|not the right) (number|person) ~ (stop|quit|never|again|not <call>)",
    "(disregard|ignore|void|null) ~ (my|previous|prior) (consent|permission|sign up|signup|form|request|submission|inquiry)",
    "(changed my mind|take it back|mistake|accident*) ~ (sign* up|form|contact*|consent|number|call*)",
    "(no|not|never) [_] (further|future|more|any|additional) ~ (<call>|communication*|correspondence|outreach|solicitation*)",
    "(find|pick|try) (another|a different|some other) (victim|target|sucker|mug)|no need to (chase|pursue|hound) (me|us)|our (final|last) (exchange|conversation|letter)",
    "(document*|record*|log|logging|logged) ~ ~ (call|calls|text|texts|message|messages) ~ (<law>|filing)",
    "silence please|(if|let us|should) [we] (part|parted) (ways|company)|how about (<you> do not|not) $|(nobody|no one) asked <you> $",
    "(ringing|calls|calling|texting|texts|messages|emails) [_] (come|came|comes|coming) to an end",
    "(stop|unsubscribe|opt out) [_] (did|does|do|is|has|was) not (work|working|worked|help)",
    # French, German, Dutch, Italian, Spanish.
    "(effac*|supprim*|retir*|enlev*|rayez) ~ (numero|nom|coordonnees|donnees|liste|fichiers)|nichts mehr ~ (horen|wissen)|(non|mai) [mi|ci] (chiam*|scriv*|contatt*|mandat*) piu",
    "(hor|hort|horen sie) [bitte|endlich|doch] auf|niet meer (bellen|mailen|appen|sturen)|haal (mij|me|ons) (van|uit)",
    "(quien|como|donde|por que) ~ (mi|este) (numero|telefono|correo|nombre)|por que me (siguen|estan|sigue|esta|llaman|escriben|mandan) ~",
    "(estoy|ya me) (hart*|cans*) ~|que (fastidio|molestia|pesados|pesado|molestos|lata)|no me interes* (sus|tus|las|los|mas|para nada)|dejenme|dejame|dejen de|deje de|no (quiero|deseo) (saber|recibir|nada|hablar)",
    "(borr*|elimin*|quit*|saqu*|sac*|remuev*) ~ (numero|nombre|datos|lista|correo|informacion)|(voy a|los voy a|la voy a) (denunci*|demand*|bloque*|report*)|dar* de baja|baja por favor",
)  # fmt: skip
_HARD = _GRAMMAR.rules(
    "<hard> ~ ~ <reach>|<reach> ~ ~ <hard>",
    "(remove|delete|erase|unsubscribe|opt out|cease|discontinue) (immediately|now|at once|today|asap|please|this minute|already) $",
)
"""A word that ends things beside one for contact, unless it is about the product, or a meeting ..."""
_REFUSED = _GRAMMAR.rules(
    "<end> ~ ~ <reach>|<reach> ~ ~ <end>|unsubscrib*|^ (remove|delete|block) $|(no longer|not) want (this|these|them|it) [anymore|any more] $",
    "(third|fourth|fifth|sixth|tenth|second|2nd|3rd|4th|5th|nth|hundredth|millionth) (call|text|message|email|time) (today|this week|now|you|in|already)|when (does|will) (this|it) (stop|end) $",
    "^ [seriously|really|ugh|wow|great] <more> (<call>|spam|junk) $",
    "<more> (<call>|spam|junk) [from] (<you>|today|already|this week|in one|a day|per day|every)",
    "(too many|so many|way too many|too much|all these|non stop|nonstop|constant|endless) [of] [your|these|the] (<call>|spam)",
    "(do not|did not|never|no [longer]|not|stop|quit|nobody|no one|cease|refuse*|rather <you> not|should not|can not|may not|must not|enough|done|without) ~ (<call>|<pester>) [_] [_] (<me>|again|anymore|any more|ever|please|at all|$)",
    "(how|where|what) [do|can|would|could|should|am|does|is|must] ~ (i|we|one|it) ~ <off>",
    "(can|could|may|how can|want to|like to|wish to|need to) [i|we] [please|just] (unsubscribe|opt out|be removed|get off)",
    "(no|ya no|nunca|deje*|basta|pare*|alto) ~ (me|nos|de|mas) (llam*|escrib*|molest*|mand*|envi*|contact*|text*|mensaj*|acos*|insist*|fastidi*|jod*)",
    "(do not|never|not|stop) [you] [ever] (use|using|share|sharing|sell|selling|keep|keeping|store|storing|give|giving) [out] (my|our|this) ~",
    "(cut|kill|shut off|turn off|switch off|end|silence|mute|block|disable|pause|cancel|lose|limit|reduce|less|fewer) [out] [all|the|these|those|your|with] (<call>|spam)",
    "(no|zero|not one|without|sin) [more|further|any] [of] [your|these|this|sales|marketing] (<call>|<pester>) $",
)  # fmt: skip
"""A refusal beside a word for contact, of whatever kind, and the question how to be rid of us ..."""
_ABOUT = _GRAMMAR.rules(
    "(app|user*|trial|plan|integration|template*|campaign*|question*|meeting|appointment|slot|booking|demo|cita|reunion|invite*|recording|duplicate*|option|event|calendar|contract|instead|earlier"
    "|monday|tuesday|wednesday|thursday|friday|saturday|sunday|noon|lunch|better|fine|rate|rates|first|if i|sir|madam|names|link|links|by|over)",
    "(our|customer*|support|their|your (software|bot|tool|system)|(does|will|can) it|the system|vendor|clients|leads|the tool|feature|features|slides|notes|invoice|agenda|old one|let us (do|use|try)|(old|previous|former|wrong) [phone] (number|email|address|person)|(that|the|my) (last|previous|earlier) (message|text|email)|not (remove|stop|delete|unsubscribe|cancel))",
    "(stop|call|calling) (me|it|us|him|her|them|that) (a|an|the|sir|if|when)|never stop|(did|has|have|had) not ~|(before|after|until|at|in|for|to) (1*|2*|3*|4*|5*|6*|7*|8*|9*)|(hoy|manana|martes|lunes|miercoles|jueves|viernes)",
)
_EXPLAINED = _GRAMMAR.rules(
    "(before|after|until|till|unless|during|while|when|whenever|between|today|tonight|tomorrow|yet|now|later|early|earlier|monday|tuesday|wednesday|thursday"
    "|friday|saturday|sunday|mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|weekend|weekends|morning|mornings|afternoon|afternoons|evening|evenings|night"
    "|lunch|noon|work|office|home|driving|meeting|instead|rather have|better|prefer|twice|back|yesterday|1*|2*|3*|4*|5*|6*|7*|8*|9*)",
    "(not|never) (forget|hesitate|fail|mind|worry|miss|object|against|sure|get|got|received|receive|see|saw|hear|heard|a problem|decide|decided)|no (problem|worries|one|message|rush|need|reminder|reminders|calls have|contact with)|why (did|have|has) (nobody|no one|you not)",
    "(you|nobody|no one|they|he|she|we|our|customers|leads|clients) (never|not|did not|do not|has|have) [ever] (call*|text*|email*|wrote|write|contacted|sent|answer*)",
    "(just|only|but|please|and|or) [please] (call|text|email|write|message|ring|send|book|use|try) (me|us|it|my|the|this)|is (fine|better|easier|enough|ok|okay|good|best)",
    "(do|does|can|could|will|how many|how) (you|it|we|i|your|the) ~ (call|calls|text|texts|message|messages|email|emails|contact|handle|send) [customers|people|leads|text]",
    "^ [please] (call|text|email|write|message|ring) (me|us)|(just|only) (call|ring|phone|text|email|write) $|(email|text|send|mail) it $|(email|text|send) (me|us) (it|that)",
    "(do not|never|not) (remove|take|delete|unsubscribe|drop|lose|block|cancel) ~|(i|we) never (answer*|pick|use|read|check|miss|open|look)",
    "(if|changed|but yes|(was|were) never|only (text*|email*|call*|mail*|message*)|trial|contract|any time|anytime|no more than|but fine|<call> it|(write|writing) (it|that|this) down|(found|got|have|did) it|sir|madam|miss|mister)|(how|do|does) you",
    "(hoy|manana|ahora|antes|despues|hasta|lunes|martes|miercoles|jueves|viernes|sabado|domingo|cuando|mejor|pero)",
    "(i|we) (make|do|have|get|take|need) [no|not] ~ (call|calls|text|texts|message|messages|email|emails)",
    "(app|user*|trial|plan|integration|template*|campaign*|question*|meeting|appointment|slot|booking|demo|cita|reunion|invite*|recording|duplicate*|option|event|calendar)",
    "(our|customer*|support|their|your software|the system|vendor|clients|the tool|feature|features|voicemail|invite|slides|notes|invoice|recording) ",
)  # fmt: skip
"""... which none of these explains."""


@remembered
def may_revoke(text: str) -> bool:
    """Whether ``text``, which is no certain revocation, may be one."""
    said = mended(text)
    if revokes(text):
        return False
    words = plain(said)
    if words in _BARE or _ALONE.found_in(spoken(words)):
        return True
    heard = spoken(said)
    if _ANYWHERE.found_in(heard):
        return True
    if _HARD.found_in(heard) and not _ABOUT.found_in(heard):
        return True
    return _REFUSED.found_in(heard) and not _EXPLAINED.found_in(heard)
