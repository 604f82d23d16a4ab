"""The small talk that may be said at any time, phrase by phrase, with what each of them hangs on.

``[a|b|]`` stands for one of them (or nothing). In place of words: ``<t>`` a time, ``<lead>``, ``<rep>``, ``<agent>``, ``<company>``
their names. What a heading says a phrase needs is checked against the state (:mod:`.judge`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, product
from typing import Any

from ...tokens import bag
from ...words import deferred
from ..dates import names_any
from .lexicon import counted

_COURTESY = """
okay | got it | great | perfect | wonderful | excellent | lovely | nice | super | fantastic | awesome | cool | brilliant | understood | noted | fair [enough|point]
[all right|all good|very good|very well|good|great] | i [see|understand|hear you|hear that|get it|get that|see that] | [i|that] [completely|totally|fully|really|certainly|] understand [that|this|it|you]
i [completely|totally|fully|really|certainly|] [understand|appreciate] [that|it|this|your time|your patience|your honesty|you telling me|you sharing that|the honesty|]
[that|this|it] makes [total|perfect|complete|a lot of|good|] sense | makes sense | [that|this|it] [really|definitely|] helps [a lot|me|a great deal|me understand|to know|]
good [question|point|idea|choice|to know|to hear|one] | [that is|it is] a [very|really|] [good|great|fair|excellent|valid] [question|point|idea|thought] | is that [right|correct|okay|so] | i can hear you [well|fine|clearly|now|loud and clear|] | [glad|happy|good|great|nice] to hear [that|it|from you|] | [i am|] [sorry|so sorry|very sorry] [about that|to hear that|for the trouble|for that|to bother you|for the wait|for the confusion|to interrupt|]
my apologies | i apologize [for that|] | no [rush|hurry|pressure] [at all|] | take your time | [that is|it is] [very|really|totally|completely|quite|perfectly|] [understandable|fair|helpful|useful|interesting|clear|kind|kind of you|kind of tricky|tough|tricky|hard|frustrating|annoying|a shame|a pity|too bad|a lot|quite a lot|a challenge|quite a challenge|no fun|stressful|busy]
[that|this|it] [must be|can be|sounds|sounds like it is|must have been] [very|really|quite|] [good|great|fine|perfect|reasonable|interesting|tricky|tough|frustrating|painful|challenging|familiar|stressful|busy|exciting|hectic|exhausting|annoying|hard|difficult|like a plan|like a lot|like a lot of work|like a challenge|like quite a challenge|like a headache|like a real headache|sensible|right|wonderful|lovely|like a busy time|like a busy place]
i can [imagine|see that|see why|relate|hear that] [that|how that feels|] | i [know|can imagine] [how that is|how that feels|the feeling|that feeling]
[thanks|thank you] [so much|very much|a lot|again|kindly|] [for] [that|this|sharing|sharing that|telling me|telling me that|letting me know|the details|the information|your time|your time today|your patience|taking the call|taking my call|taking the time|explaining|explaining that|confirming|confirming that|clarifying|clarifying that|calling|calling back|calling us|waiting|holding|asking|your interest|being so open|being open|being honest|being patient|your honesty|the quick answer|bearing with me|picking up|speaking with me|talking to me|your help|understanding|checking|the heads up|getting back to me|making time|answering|the correction|spelling that|having me|that information]
[thanks|thank you] [so much|very much|a lot|again|kindly|] [indeed|] | many thanks | cheers | you are [very|most|] welcome | my pleasure | that is [very|really|] [kind|nice] of you
[hi|hello|hey] [there|] | good [morning|afternoon|evening] | goodbye | bye | bye bye | take care | all the best | have a [very|] [good|great|nice|lovely|wonderful] [day|one|evening|morning|afternoon|week|weekend|night|rest of your day|rest of the day|rest of your week]
enjoy [your|the] [day|evening|weekend|week|rest of your day|rest of the day|rest of your week] | talk soon | [it was|] [nice|good|great|lovely] [to meet you|talking to you|talking with you|speaking with you|to speak with you|to talk to you|chatting|chatting with you|meeting you] [today|]
pleased to meet you | how are you [doing|] [today|] | i am [doing|] [well|fine|good|great] [thanks|thank you|] [for asking|] | hope you are [doing|] well | i hope [you are|you are doing|you are having a] [well|good day|great day|good week]
[this is|my name is|i am|it is|it is still] <agent> | [from|of|with|at|for|calling from|here at|over at] <company> | <agent> [here|speaking]
i am calling [you|] about | [i am|] calling [you|] about the demo [you asked for|that you asked for] | i [am calling|called] [because|as] you asked for [a|the] demo
one moment [please|] | just [a|one] [moment|second|sec|minute] [please|] | [a|one] [second|sec|moment|minute] [please|] | hold on [a moment|a second|please|] | bear with me [a moment|for a moment|] | give me [just|] [a|one] [moment|second|sec] | hang on
go [ahead|on] | please go [ahead|on] | please do | tell me [more|a bit more|a little more|more about it|more about that|about it|about that|a bit about it|a bit about that|a bit more about that|] | please [tell me|go ahead|continue|take your time]
if i may [ask|] | if you do not mind [me asking|] | if [that is|it is] [okay|all right|fine] [with you|for you|] | if [that|it] [works|suits you] [for you|] | if you [like|want|prefer|wish|would like] | if you have a [moment|minute|second] | [when|whenever] you are ready | [when|whenever] it suits you [best|]
as i [said|mentioned] | as mentioned | by the way | in that case | in the meantime | first of all | in other words | just to be [sure|clear|safe] | just to [confirm|double check|check] | just so [that|] i [get it right|have it right|understand|know]
[let me|just let me|let me just|let me quickly] [ask|ask you|ask you one thing|ask one thing|ask it differently|ask you something|ask you this|put it differently|say it differently|repeat|repeat that|say that again|rephrase|rephrase that|explain|think|note that|note that down|write that down|make sure i got that right|make sure i have that right|make sure i understand|confirm|confirm that|confirm that with you|read that back|read it back|start over|try again|slow down|be brief|keep it short]
let me know [if that works|if that works for you|if that suits you|what you think|what you prefer|which one you prefer|which you prefer|which works best|which suits you best|what works best|when you are ready|what suits you|]
i [would|will] [love|like|be happy|be glad] to [hear more|hear that|hear about it|hear|understand|understand that|understand better|learn more|know more|know|ask you something|ask you one thing|ask one thing|ask a few questions|ask you a few questions|ask a quick question|ask one more thing|find a time|find a time for you|find a time that works|find a time that works for you|find a time that suits you|find a time for the demo|find a time for it]
i [just|only|] [want|wanted|need|needed|would like] to [ask|know|understand|be sure|make sure|check|confirm|find a time|find a time for you|find a time for it|find a time that works for you|find a time that suits you|make sure i understand|make sure i got that right|be sure that i got that right|make sure i have that right|ask one thing|ask one more thing|ask you something|ask you one thing|ask you one more thing|hear it from you|understand your situation|understand your needs]
i [just|only|still|] have [just|only|] [a few|a couple of|two|three|one|some] [quick|short|more|simple|last|brief|] [question|questions] [for you|left|] | [just|only|] [one|two|a few|a couple of] [more|last|quick|short|brief|final|other] [thing|things|question|questions] [for you|left|] | a [quick|last|short|final] question
[my|the|and my|and the] [next|last|first|only|final] question [is|then|] | next question | last question | [before that|before i do|before we go on|before we do that|before i look] | let us [find a time|look for a time|find a time that works|find a time that works for you|find a time that suits you|look at the calendar|look at times|see|move on|go on|start|start with that|get started|start over|find a time together|do that|take it step by step|go through it|continue|begin] | we can go through [it|that] [together|]
so that the demo fits [you|your team] | to make sure [that|] the demo fits [you|your team|your needs] | so [that|] i [know|can note it|have that|can find the right time|can find a good time|get it right] | so that we [find a good time|find the right time|can find a time|do not waste your time]
i did not [quite|] [get|catch|hear|understand] [that|you|what you said] | i [could|can] not hear you [well|properly|right now|clearly|] | the line is [bad|not great|not very good|a bit bad|poor] | i missed that | you are breaking up | i lost you for a [moment|second] | i [am still|am] [here|listening|with you]
[please|could you|would you|can you] [please|] [say that again|repeat that|say it again|repeat it|speak up|spell that|spell it|spell that for me|say that once more] | [i am|] [all ears|listening] | congratulations | well done | good luck | no offense | [sounds|looks] [good|great|like a plan|fine|perfect]
[whatever|whichever] [works|suits] [best|you|you best|best for you|for you] | [you can|you could|feel free to|please feel free to] [pick|choose|take your time|think about it|ask me|ask anything|ask|tell me|say so|let me know|decide]
[i am|we are|always|very|more than|] [happy|glad] [to help|i could help|that i could help|we could help|i can help] [you|out|you out|] | [i|we|] hope [your|the] [day|week|morning|afternoon|evening] is going [well|great|smoothly|fine] [so far|] | [i|we|] hope you are [having|enjoying] a [good|great|nice|lovely|wonderful] [day|week|morning|afternoon|evening|start to the week] [so far|] | take all the time you [need|want|like] | [do|would] you have [a couple of|a few|two|five|one|a] [quick|] [minutes|minute|moments|moment|seconds] [now|right now|for me|to talk|to spare|for that|today|] | [have you got|got] [a couple of|a few|two|five|one|a] [quick|] [minutes|minute|moments|moment|seconds] [now|right now|for me|to talk|to spare|]
i [can not|could not] [really|] [say|tell you|answer that|be sure|tell|say that] [for certain|for sure|with certainty|exactly|off hand|right now|myself|] | [that|it] i can not [say|tell you|answer] [for certain|for sure|] | i do not [actually|] know [that|] [for sure|for certain|off hand|exactly|] | i am not [quite|entirely|completely|] [sure|certain] [about that|of that|about it|]
[a colleague|a colleague of mine|one of our people|one of our specialists|our specialist|our specialists|the specialist|one of our product specialists|my colleague|my colleagues|our people] [can|could|may be able to|might] [tell you more|say more|answer that|explain that|explain it|go through that|go into that|help with that|help you with that|tell you] [about that|about it|in the demo|]
[i am|] [sorry|so sorry|apologies|i apologize] [to|for] [catch you off guard|catching you off guard|call out of the blue|calling out of the blue|keep you waiting|keeping you waiting|trouble you|troubling you|disturb you|disturbing you|rush you|rushing you|the delay|the noise|the mix up|the inconvenience|my mistake] | my [mistake|bad|fault] | i [stand corrected|misheard|misheard you|misheard that|misunderstood|misunderstood you|got that wrong]
and then i will let you [go|get on|get back to it|get back to your day|get on with your day] | then i will let you [go|get on|get back to it|get back to your day] | i will [keep it|be|keep this] [short|brief|quick] | it [will not|does not] take long | [just|only] [one|two|a few|a couple of|some] [thing|things|question|questions] [for you|left|]
[that is|this is|it is|that was|that sounds like|sounds like|that must be|that can be|it must be|are|is|must be|can be] [a|a real|such a|quite a|a bit of a|a big] [pain|headache|hassle|nightmare|mess|struggle|chore|bother] | [we are|i am|] looking forward to [it|meeting you|speaking with you|talking to you|that] | [we|i] look forward to [it|meeting you|speaking with you|talking to you|that] | gracias | muchas gracias | perfecto | de acuerdo | muy bien | entiendo | un momento [por favor|] | hola | buenos dias | buenas tardes | adios | lo siento | estupendo | encantado | que tenga un buen dia
i am [only|just|] [trying|here] to [find a time|find a time for you|understand|help|help you|help you find a time|find a good time|find a time that suits you] | i am [here|happy|glad] to help | how can i help [you|] [today|] | what can i do for you [today|]
that is [all|everything] [i need|i need to know|i wanted to know|from me|from my side|i needed|for now] | that was [all|everything|it] [from me|from my side|i needed|] | almost [done|there] | we are [almost|nearly] [done|there] | [just|] to sum up | to recap
"""

_ASIDE = """
[for|with|to|from|on] you [and your team|] | on your [side|end] | at your end | from your side | for [a|one] [moment|second|minute] | for the moment | at the moment | right now | for now | for your team
right | as well | for both of us | in that case | to begin with | on top of that
"""
"""What goes beside other words, and answers nothing by itself."""

_GRANTING = """
yes | no | nope | nah | sure | sure thing | absolutely | of course | certainly | definitely | exactly | correct | indeed | totally | that is [right|correct|true|so|it] | you are right | you bet | for sure | by all means | gladly | with pleasure | claro | si
no problem [at all|] | no worries [at all|] | not a problem [at all|] | no trouble [at all|] | not at all | that is [fine|okay|all right|good|great|perfect|wonderful|excellent|no problem|not a problem|no problem at all] [with me|by me|] | [it is|this is] [fine|okay|all right|good|great|perfect|no problem|not a problem|no problem at all] | do not worry [about it|about that|] | not to worry
[i would|i will|i am] be [happy|glad] to [do that|help|help with that|] | [i am|we are|i would be|we would be] [happy|glad] to | can do | will do | that works [for me|for us|too|well|] | that is possible | it is possible | granted | agreed | deal | i think so | i believe so | i hope so | obviously | without a doubt | no doubt | why not | fine [by me|with me|] | works for me | correct that is right | as you wish | happy to | glad to
"""

_DISCLOSING = """
i am [just|only|indeed|] [an|the|your] [automated|virtual|digital|ai] assistant [here|of <company>|from <company>|at <company>|for <company>|] | i am [automated|an ai|an ai assistant|a virtual assistant|a robot|a bot|a machine|not a person|not a human|not a real person|not a human being]
"""

_SHORT = """
[we|i|it|they|you|there|that|he|she] [do|does|can|will|are|is|am|have|has|did|would|could] | [we|i|it|they|you|there|that] [do|does|can|will|are|is|have|has|did|would|am] not | i am | you can | it sure does | we sure do | [it|that|this] [all|certainly|definitely|absolutely] [is|does|can|will]
"""
"""A whole answer in two words ("it does"): only where nothing follows."""

_NEEDS_OFFER = """
[are|will] you [be|] free [<t>|then]
[i|we] [can|could] [also|still|] [offer|suggest|propose|do] [you|] <t> [instead|too|as well|] | [i|we] [have|could do|can do|also have|still have] <t> | <t> [would|could|might|should] [also|] [work|be possible|be fine|be good|be an option|be free|be open] [too|as well|] | [either|any|each|both|all] of [those|these|them] [times|slots|] [is|are|would be|works|work|would work] [still|] [fine|open|free|possible|good|okay|available|] | there is [also|still|] <t> | there is [also|still|] [something|a slot|an opening|a time|a free slot|a free time|one|another one] [free|open|available|] <t> | how about <t> | what about <t> | or how about <t>
<t> [is|would be] [still|also|] [free|open|available|possible|an option] | <t> [and|or] <t> are [still|both|also|] [free|open|available|possible] | what i have is <t> | i [have|see] [an opening|a slot|something|a free slot|a time|a free time|openings|times|time|free times] [open|free|available|] <t> | you [could|can] [pick|choose|have|take] <t> | [let us|shall we] [say|do|make it|take|go with|go for] <t> | that is <t> | <t> it is | [puedo ofrecerle|puedo ofrecerte|le ofrezco|tengo] <t> | i can [do|give you|offer you|put you down for] <t>
[the first one|the second one|the third one|the last one|the earlier one|the later one|either of those|either of these|one of those|one of these|one of these times|one of those times|these times|those times|either of the two|any of these|any of those|the first|the second|the third] | those are the times [i have|] | which of [these|those|them|these times|those times] | [these|those] are [the times|the options] [i have|we have|]
would [one|any|either] of [these|those|them] [times|] [suit you|work|work for you|be good|be all right] | does [one|any|either] of [these|those|them] [times|] [suit you|work|work for you|sound good] | which [one|of these|of those|of them|time|of these times|of those times] [suits|works|would suit|would work|would be] [you|best for you|better for you|for you|best|you best|you better|better]
"""

_NEEDS_FIRST = """
[the|my|our] [next|first|earliest|soonest] [free|available|open|possible|] [slot|time|one|opening|option] [i have|we have|that i have|i see|] is <t> | the [earliest|soonest|first] [i have|we have|i can offer|i can do|we can do|i see|] is <t> | as early as <t>
"""

_WITH = """
with <rep> | <rep>
"""
"""A person named beside a time, or alone."""


_NEEDS_MEETING = """
[your|the|our] [demo|meeting|appointment] [with <rep>|] [is|stands|starts|begins|remains|will be|takes place] [still|now|] [set|booked|scheduled|confirmed|planned|] [for|] <t>
[your|the|our] [demo|meeting|appointment] [with <rep>|] [is|stands|remains|stays] [still|now|all|] [set|booked|scheduled|confirmed|planned|on|in the calendar|as it is|as planned|unchanged] | [your|the|our] [demo|meeting|appointment] [is|will be|is still] with <rep> | [your|the] [demo|meeting|appointment] [with <rep>|] [still|] stands | [tu|su] [cita|reunion|demo] es <t>
you are [all|now|already|still|] [booked|scheduled|confirmed|set|down] [in|] [with <rep>|] [for|] [your demo|the demo|] <t> | you are [all|now|already|still|] [booked|scheduled|confirmed|set] [in|] [with <rep>|]
i [still|] have you [down|booked|scheduled|in|] [with <rep>|] [for|] <t> | you [already|still|] have [a|your|the] [demo|meeting|appointment] [booked|scheduled|set|coming up|] [with <rep>|] [for|] <t> | you [already|still|] have [a|your|the] [demo|meeting|appointment] with <rep> | [it|that] is [still|all|now|already|] [booked|scheduled|set|confirmed] [for|] <t>
you are [meeting|seeing|talking to|speaking with|meeting with] <rep> | you [will|are going to] [meet|see|be meeting|be speaking with|speak with|talk to|be talking to|be seeing|meet with] <rep> | <rep> will [meet|see|join|be there for] you | <rep> [is|will be] [the one|] [holding|running|doing|giving] [the|your] [demo|meeting] | <rep> [holds|runs] [the|your] [demo|meeting] | <rep> [is|will be] [looking forward to it|looking forward to meeting you|looking forward to speaking with you|looking forward to talking to you|on the call|there|on the line|in the meeting|with you|your host|showing it to you|holding it|doing it]
see you [then|<t>] | [talk|speak] to you then | [it is|that is|this is] with <rep> | everything is [set|all set|booked|confirmed] | you are all set | is [your|the] [demo|meeting|appointment] [with <rep>|] <t> | [does|is] [your|the|our] [demo|meeting|appointment] [with <rep>|] <t> still [okay|good|fine|work|suit you|all right|on] | [does|is] <t> still [work|good|okay|fine|suit you|all right|on] | keep [it|the meeting|the demo|your meeting|your demo] [as it is|<t>|]
[about|regarding|concerning] your [demo|meeting|appointment] | your [demo|meeting|appointment] [with <rep>|] <t>
"""

_NEEDS_MISSED = """
we missed you [at the demo|at the meeting|at your demo|] [<t>|] [with <rep>|] | you [missed|could not make|did not make] [it|the demo|your demo|the meeting|your meeting] [with <rep>|] [<t>|] | [your|the] [demo|meeting] [with <rep>|] was [planned for|set for|scheduled for|] <t> | it was [planned for|set for|scheduled for|] <t> | [these things happen|that can happen|it happens|that happens|things come up|it can happen to anyone|no harm done]
"""

_SAID = """
as you [said|mentioned|told me] | like you said | from what you [said|say|told me|tell me]
you [said|say|mentioned|told me|asked for|asked about|are asking about|are asking for|were asking about|wanted to know about|had asked about] | you [mean|meant] | did you [say|mean] | do you mean | i [heard|understood|have|noted|wrote down|got] | if i [understand|understood|heard] [you|that] [correctly|right|well|] | your question [is|was] [about|] | [the question|your question|that question] about | when you asked about
<t> [does|would] not [work|suit you|fit] [for you|] | <t> is [not good|no good|difficult|bad|too early|too late|hard|not possible|not convenient] for you | you are not [free|available] <t> | you can not [do|make] <t> | you are [busy|out|away|not available|unavailable|tied up|in a meeting] <t> | [not|nothing] <t> then | so not <t>
"""

_WANTING = """
you [wanted|want|need|prefer|would prefer|would like|are looking for|are after|were looking for|would rather have|would rather|have]
"""

_LOOKING = """
[let me|i will|let us|i can|i am going to] [just|quickly|] [look|check|see|have a look|take a look|check that|check it|look at that|look at it|look into that|look into it|look that up|check the calendar|look at the calendar|open the calendar]
[let me|i will|let us|i am going to] [just|] [look|check|see] [for|at|what i have|what we have|what is free|what is available|what there is|if there is|whether there is|if i have] [<t>|] | i am [looking|checking] [for|at|] [<t>|] | looking at <t> | [let me|i will|let us|i can|i am going to] [just|] [check|see|look|find out] [if|whether] [we can do|we have|there is|i have|] <t> [is|would be|could be|might be|works|would work|could work|suits] [possible|free|available|open|an option|still free|still open|] | [let me|i will|let us|i can] [just|] [check|see|look|find out] [if|whether] [we can do|we have|there is|i have|there is anything|we have something] <t>
"""

_FRAGMENTS = """
[a|another|a good|a better|the right|some other|an earlier|a later|a different] [time|slot|day|moment|date] [for you|that suits you|that works for you|that works|that suits|together|] | [other|some|some other|earlier|later|different|more|a few] [times|days|slots|options] [for you|] | something [else|earlier|later|different|that suits you|that works for you|that works|free|for you|open] | anything [else|earlier|later|free|open] [for you|] | the calendar | as planned | at all | for the [demo|meeting]
[to find|find|finding] [a time|you a time|another time|a time for you|a time that works|a time that works for you|a time that suits you|something that suits you] [for the demo|for it|] | [free|open|available] [then|there]
"""

_KINDS = {
    "": _COURTESY, "aside": _ASIDE, "grant": _GRANTING, "disclosing": _DISCLOSING, "short": _SHORT, "offer": _NEEDS_OFFER, "first": _NEEDS_FIRST, "rep": _WITH, "meeting": _NEEDS_MEETING, "missed": _NEEDS_MISSED,
    "said": _SAID, "want": _WANTING, "look": _LOOKING, "fragment": _FRAGMENTS,
}  # fmt: skip

Trie = dict[str, Any]
_END = ""
_PIECE = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_WORD = re.compile(r"<\w+>|[^\s]+")


def _alternatives(block: str) -> Iterator[str]:
    """The patterns of a block: lines, and ``|`` outside of brackets."""
    for line in block.strip().splitlines():
        depth, piece = 0, ""
        for char in line:
            depth += (char == "[") - (char == "]")
            if char == "|" and depth == 0:
                yield piece.strip()
                piece = ""
            else:
                piece += char
        yield piece.strip()


def expanded(pattern: str) -> Iterator[list[str]]:
    """The phrases that ``pattern`` stands for, as the items that sentences are compared by."""
    pieces = [
        [_WORD.findall(option) for option in (found[1].split("|") if found[2] is None else [found[2]])]
        for found in _PIECE.finditer(pattern)
    ]
    for chosen in product(*pieces):
        words = list(chain.from_iterable(chosen))
        yield words if _COUNTING.isdisjoint(words) else counted(words)


_COUNTING = bag("one two three couple")


@deferred
def tries() -> tuple[Trie, Trie]:
    """All phrases by their items; and by their tokens those that hold words of time and name none ("have a good
    evening")."""
    every: Trie = {}
    timed: Trie = {}
    for kind, block in _KINDS.items():
        for pattern in _alternatives(block):
            for words in expanded(pattern):
                _plant(every, words, kind)
                if kind in ("", "aside", "fragment") and not any(word[0] in "<#" for word in words) and names_any(words):
                    _plant(timed, words, kind)
    return every, timed


def _plant(trie: Trie, words: Sequence[str], kind: str) -> None:
    if not words:
        return
    for word in words:
        trie = trie.setdefault(word, {})
    trie.setdefault(_END, kind)


def longest(trie: Trie, words: Sequence[str], i: int) -> tuple[int, str] | None:
    """The index after the longest phrase that begins at ``words[i]``, and its kind; None when none does."""
    found = None
    node = trie
    while i < len(words):
        node = node.get(words[i], {})
        if not node:
            break
        i += 1
        if _END in node:
            found = i, node[_END]
    return found
