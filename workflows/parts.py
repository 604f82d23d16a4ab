"""The parts of which people's wishes are made: classes of words with one role, in the notation of :mod:`.grammar`.

English as it is spoken in America and Britain, with the Spanish words of the few wishes that are understood in it.
"""

from __future__ import annotations

from .grammar import Grammar

GRAMMAR = Grammar({
    # ---- little words -------------------------------------------------------------------------------------------
    "i": "(i|we)",
    "me": "(me|us)",
    "my": "(my|our)",
    "you": "(you|u|ya)",
    "be": "(is|are|am|was|were|be|been|r)",
    "have": "(have|has|had|having)",
    "got": "(have [got|had]|has [got]|had|got)",
    "it": "(it|that|this|them|those|these|one|something)",
    "this": "(this|that|it|these|those|them|such|any|all [of] (this|that|it|those))",
    "det": "(a|an|the|your|some|any|one of (your|those|these|the)|another|our|my|this|that|some kind of|some sort of)",
    "their_det": "(a|an|the|your|some|any|one of (your|those|these|the)|another|some kind of|some sort of)",
    "adv": "(really|actually|just|even|like|only|maybe|probably|honestly|definitely|still|also|a bit|kind of|sort of|quite|very|so|totally|completely|absolutely|simply"
    "|truly|literally|currently|ever|perhaps|basically|seriously|frankly|all|not|a little|pretty|rather|again|obviously|clearly)",
    "back": "(back|again|back again)",
    "role": "(boss|manager|managers|colleague|coworker|co worker|wife|husband|spouse|partner|brother|sister|son|daughter|father|dad|mother|mum|mom|owner|director|lead|leader|head"
    "|assistant|department|team|supervisor|ceo|cfo|cto|coo|cmo|buyer|secretary|office|people|guy|guys|lady|gal|girl|teammate|accountant|bookkeeper|purchaser|foreman|associate"
    "|president|principal|founder|landlord|side|folks|chief|vp|officer|person|buddy|friend|controller|procurement|purchasing|accounting|operations|finance|marketing|hr|sales)",
    # ---- people and machines ----------------------------------------------------------------------------------------
    "machine": "(robot*|bot|bots|machine*|computer*|ai|a i|artificial [intelligence]|recording|recordings|recorded (message|voice|call|announcement)|prerecorded|pre recorded|automated|automatic|robocall*|robo call*|voicebot*"
    "|voice bot*|chatbot*|chat bot*|virtual|software|siri|alexa|chatgpt|chat gpt|gpt|algorithm|program|synthetic|android|simulation|bot thing*)",
    "real": "(real|actual|live|proper|physical|living|genuine|breathing|flesh and blood|human|normal)",
    "human": "(human [being*]|humans|<real> <human_noun>|(someone|somebody|anyone|anybody) (real|human|alive))",
    "human_noun": "(person|people|human|being|man|woman|guy|lady|soul|body|agent|representative|rep|someone|somebody|individual|employee|operator|voice)",
    "staff": "(agent|representative|representatives|rep|reps|manager|supervisor|operator|salesperson|sales person|salesman|colleague|adviser|advisor|specialist|expert|consultant|human [being]"
    "|humans|person|people|somebody|someone|anyone|anybody|team member|member of (staff|[your] [the] team)|receptionist|superior|boss|guy|team|staff|support|sales|customer service|reception"
    "|service|front desk|employee|(sales|support|service|product|technical) (team|department|people|person|rep|desk|guy|manager)|account manager|colleagues|employees|guys|lot)",
    # ---- what is done with a telephone ------------------------------------------------------------------------------
    "dial": "(call|ring|phone|dial|buzz|telephone|calling|ringing|phoning|dialing|dialling)",
    "give_call": "(give|giving|drop|make|shoot|throw|send) <me> [just] (a|another|one) [quick] (call|ring|buzz|shout|bell|callback|call back|ring back|tinkle|holler)",
    "call_me": "(<dial> <me>|<give_call>|(try|trying) (<me>|to call [<me>]|calling [<me>]))",
    "touch": "(get|getting) (back to|in touch with|hold of) <me>|(check|checking|follow|following|circle|circling) (back|in|up) [with <me>]|(reach|reaching) (out|me|us) [to <me>]"
    "|(come|coming) back to <me>|(catch|catching|contact|contacting|text|texting|try|trying|message|messaging) <me>|touch base [with <me>]|ask me|hit me up|(try|trying) again",
    "talk_later": "(talk|speak|chat|discuss (this|it|that)|do (this|it|that)|pick (this|it|that) [back] up|continue [this|that]|connect|catch up|reconnect|revisit [this|it|that]|look at (this|it|that)|have this (chat|call|conversation))",
    "asking": "((can|could|would|will|should|might|may) (you|someone|somebody|one of you|they|we|i) [<adv>] [please] [mind]|(do|would) you mind [<adv>]|please [<adv>]|(i|we) (want|need|would like|prefer|would prefer) "
    "[for] (you|someone|somebody) to|(how about|what about) [you|we]|why (do not|not) [you|we]|you (can|could|should|may|might) [<adv>]|let us|do you want to|i would rather you|better|feel free to|any chance [you could|of]|(best|better) (to|if you))",
    # ---- times ----------------------------------------------------------------------------------------------------
    "now": "([right|just] now|right (away|back)|immediately|straight (away|back)|straightaway|at once|asap|as soon as (possible|you can)|[right] this [very] (minute|second|instant|moment)|pronto"
    "|in (a|one|two) (second|sec|seconds|secs)|back now)",
    "weekday": "(monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
    "month": "(january|february|march|april|may|june|july|august|september|october|november|december)",
    "unit": "(minute|minutes|min|mins|hour|hours|day|days|week|weeks|fortnight|month|months|year|quarter|weekend)",
    "then": "([on|this|by|around|from|early|next|sometime|sometime on|maybe|the|following|before|until|late] [this|next|the|on|about] [following|coming] (<weekday>|<month>|week|weeks|month|quarter|year|morning|afternoon|evening|weekend|time)"
    "|[a bit|a little|much] later [on]|tomorrow|tonight|another (time|day|week|moment)|[at] (some|any) other (time|day)|[at] a (better|different|later) (time|moment|day)|sometime|some time|[at] some (point|stage)|this (morning|afternoon|evening)"
    "|in [about|like|around|maybe] (a|an|one|two|three|four|five|six|ten|fifteen|twenty|thirty|forty|half|another|the|several|<number>|a few|a couple [of]|a bit|a while) [few|couple|of|hour|an|minutes|bit] [or so|or two] [<unit>|morning|afternoon|evening|new year]"
    "|in [early|late] <month>|at [about|around|like|half|quarter|lunch|a] (<number>|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midday|past|lunchtime|lunch|better|different)"
    "|at a quarter (past|to)|(a|one|two|three) (week|weeks|month|months) (from|after) (_)|(after|around|towards|once|when|before|past|toward|from) (_)|soon [as]|[the] day after|during (the|my) _|[at|towards|by] [the] (end|start|beginning|middle) of [the|this|next] (week|month|day|year|quarter|morning|afternoon|<month>)|q1|q2|q3|q4|early next _|first thing)",
    "number": "(1*|2*|3*|4*|5*|6*|7*|8*|9*)",
    # ---- the meeting and the link -----------------------------------------------------------------------------------
    "meeting": "([demo|sales|zoom|online|video|product|phone|short|little|quick] (demo|demonstration|appointment|meeting|slot|time|booking|call|session|spot|date|consultation|walkthrough|one|thing|place|space|reservation))",
    "booked": "(booked [in|up]|scheduled [in]|arranged|reserved|set up|made|picked [out]|chosen|chose|confirmed|set|fixed [up]|sorted [out]|got|organised|organized|put in|selected|agreed [on]|signed up for|registered for|lined up)",
    "diary": "(calendar|diary|schedule|books|agenda|planner)",
    "send": "(send|text|message|sms|shoot|drop|whatsapp|forward|give|fire|ping|email|mail|flick|pop|chuck|pass|throw|zap|sling|bung|share|sending|texting|messaging|emailing|dropping|shooting)",
    "link": "([booking|calendar|scheduling|calendly|web|sign up|signup|meeting|quick|little|same] [<hosted>] (link|links|url|website|web site|webpage|site|page|calendly|calendar|form|info|information|details|bookings page))",
    "hosted": "(booking|calendar|scheduling|web)",
    "by_text": "((by|via|in|as|through|over|on) [a|an] [quick] (text|texts|sms|message|email|mail|whatsapp|text message))",
})
