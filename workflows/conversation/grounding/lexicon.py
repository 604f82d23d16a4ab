"""Words by what they can do in a sentence. What stands in none of these sets has to be grounded."""

from __future__ import annotations

from collections.abc import Sequence

from ...tokens import bag
from ..numbers import quantity

GLUE = bag(
    "and so but or well then okay oh ah um uh hm also just please again now still maybe perhaps though actually anyway either both too here "
    "there hey y o"
)
"""Words that hold sentences together and say nothing by themselves."""

FUNCTION = GLUE | bag(
    "right a an the this that these those it its i me my we us our you your yours they them their he she his her is are am was were be been being do does did "
    "have has had can to of in on at for with from by about into onto over up out off as if when where who what which how why whether not no than "
    "let while because since until through across between per each lasts kind bit there's yes one"
)
"""Words without content of their own. What changes the sense of the words beside it (only, all, never, more, will, without) is none of
them: it has to be grounded like any other."""

NEGATORS = bag("not no never none without nothing neither nor nobody")
SCOPE_ENDS = bag("for because but and , ; . : -")
"""Where the reach of a negation ends."""

RISKY = bag(
    "free cost costs costing price prices pricing priced cheap cheaper cheapest discount discounts discounted deal deals bargain refund refunds guarantee "
    "guaranteed guarantees warranty contract contracts cancel cancelled canceled cancellation commit commitment obligation obligations obliged bind binding "
    "law laws lawful legal legally lawyer compliant compliance gdpr hipaa soc iso pci certified certification secure security encrypted integrate integrates "
    "integration integrations connect connects sync syncs support supports include includes included including unlimited forever lifetime bonus gift credit "
    "waive waived trial money dollar dollars euro euros pound pounds percent fee fees charge charges charged pay paid payment invoice bill human robot bot "
    "machine automated recording better best faster fastest cheapest leading number competitor competitors save saves saving savings profit promise promises "
    "complimentary rebate voucher penalty penalties liable liability insured insurance tax taxes vat zero nothing"
)
"""Words of price, promise, law, security and rivalry: never taken over from what somebody said."""

MACHINE = bag("human robot bot machine automated ai computer recording person virtual real artificial")
DONE = bag(
    "booked scheduled confirmed reserved moved rescheduled cancelled canceled sent texted emailed transferred forwarded done arranged updated signed registered "
    "added noted changed shifted secured postponed"
)
PROMISING = RISKY | bag("will promise personally sure ensure definitely always never shall going")

TALK = FUNCTION | bag(
    "time times slot slots call calls calling meeting meetings demo appointment talk speak speaking hear minute minutes moment second seconds say said mean "
    "meant repeat ask asking question questions understand know tell told think sounds sound work works working suit suits fit fits day days date week weeks "
    "month morning afternoon evening today tomorrow tonight earlier later early late sooner soon next another other different better best good great fine okay "
    "convenient easiest prefer preferred rather want would like could may might shall should will look looking see find check help anything something else "
    "book reserve more much many first second third last possible available open thing things name spell right correct sorry please wait hold back again any all"
)
"""Words of the talk itself: names, times, asking and understanding."""

BUSINESS = bag(
    "people person persons colleague colleagues team teams user users employee employees staff company business site sites location locations warehouse "
    "warehouses shop shops store stores van vans technician technicians stock inventory parts count counts counting track tracking manage managing keep keeping "
    "handle handling use uses used using currently moment today spreadsheet spreadsheets software system systems tool tools paper app apps process way ways "
    "problem problems issue issues challenge challenges trouble pain biggest main important matters matter happens wrong goes often usually usual mostly "
    "long short big large small roughly approximately exactly around need needs needed hope hoping plan planning plans planned start starting started begin "
    "place timeline quarter year rush urgent decide decides deciding decision decisions involved involve owner boss manager role email address invitation "
    "phone number text link message reach contact best interested interest curious happen change changing switch improve fix solve goal goals idea kind sort "
    "type products items goods orders deliveries places place choose choosing pick picking go take taking make making show feel seem mind ready sure happy comfortable open worth kept missing part example currently already yet "
    "deadline budget prompted brought made led reason behind else whom whose down side end detail details bit little briefly quick quickly specific specifically general "
    "step steps share shared sharing checks daily weekly regular regularly audit audits error errors mistake mistakes busy busiest grow growing growth seasonal "
    "everyone everybody anyone someone somebody nobody before after online video phone person remotely headache headaches frustration frustrations frustrating bottleneck struggle struggling hassle concern concerns worry worries annoying"
)
"""Words in which one asks about somebody's business."""

ASKING = TALK | BUSINESS
OPENERS = bag(
    "what when where who whom whose which how why do does did are is was were would could can shall should may might have has will am que cuando cual cuantos "
    "como donde quien"
)
"""Words with which a question begins."""
OWN = bag("we our ours us it they their he she product software system platform tool app company")
"""Whom a claim about us, the product or others has as its subject."""
LEADING_IN = bag("know aware remember realize realise heard mention mentioned told imagine believe guess agree")
"""After "did you" and "do you", a claim in the form of a question: "Did you know ...?"."""

COUNTED = bag(
    "minute minutes min mins hour hours second seconds day days week weeks month months year years dollar dollars buck bucks euro euros pound pounds cent cents "
    "percent user users person persons people seat seats click clicks time times grand"
)
_SAME = {
    "$": "dollar", "buck": "dollar", "usd": "dollar", "€": "euro", "eur": "euro", "£": "pound", "gbp": "pound", "%": "percent", "integrat": "connect",
    "monthly": "month", "yearly": "year", "annual": "year", "annually": "year", "cancell": "cancel", "encrypt": "encrypt", "mo": "month", "mins": "minut",
    "min": "minut", "hrs": "hour", "links": "connect", "begin": "start", "begins": "start",
}  # fmt: skip
DEMANDING = bag("need needs require requires required must want wants expect expects assume assumes hope provided long if only")
"""With one of these a statement may be a demand, and a yes to it a promise."""
CURRENCIES = bag("dollar euro pound cent percent grand")
ALIASES = bag("product software system platform tool app solution")
"""What the product may be called; for claims each is the company's name."""


def stem(word: str) -> str:
    """A word in a rough common form: "connects", "connected" and "connecting" are one; numbers stay as they are."""
    if word[0] == "#" or word in _SAME:
        return _SAME.get(word, word)
    bare = word
    if len(bare) > 4 and bare.endswith("ies"):
        bare = bare[:-3] + "y"
    elif len(bare) > 5 and bare.endswith("ing"):
        bare = bare[:-3]
    elif (len(bare) > 4 and bare.endswith("ed")) or (len(bare) > 4 and bare.endswith(("sses", "xes", "ches", "shes"))):
        bare = bare[:-2]
    elif len(bare) > 3 and bare.endswith("s") and not bare.endswith(("ss", "us", "is")):
        bare = bare[:-1]
    if len(bare) > 3 and bare[-1] == bare[-2] and bare[-1] not in "les":
        bare = bare[:-1]
    if len(bare) > 3 and bare.endswith("e"):
        bare = bare[:-1]
    return _SAME.get(bare, bare)


def counted(t: Sequence[str]) -> list[str]:
    """The tokens ``t`` with each number as one item, ``#14``; "one" counts only before what is counted. "half an hour" is
    ``#30 minute``, as "thirty minutes" is."""
    items: list[str] = []
    i = 0
    while i < len(t):
        if t[i] == "half" and list(t[i + 1 : i + 3]) == ["an", "hour"]:
            items += ("#30", "minutes")
            i += 3
            continue
        found = quantity(t, i)
        if found is None or (t[i] == "one" and not (i + 1 < len(t) and t[i + 1] in COUNTED)):
            items.append(t[i])
            i += 1
            continue
        items.append(f"#{found[0]:g}")
        i = found[1]
    return items
