"""Stops in the languages most spoken in the US besides English and Spanish, as people write them and as they are
transcribed.

What is looked for in each is what :mod:`.revocation` looks for in English: that contact is refused, that it is to end,
that a number or a name is to be taken off, or a keyword (退订, TD). A refusal counts unless a time or a place explains it
("not before ten"), and where another channel is welcome in the same breath a person looks. A language without accents at
hand is written without them, and so they are folded away where its letters are Latin; Chinese is read in simplified
signs; between Chinese, Japanese and Korean words spaces do not count.

Plain functions. Every pattern is bounded, so that the longest text takes no time to speak of.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple

from .words import Expression, any_of, lowered, remembered

Word = Literal["", "doubt", "stop"]
"""What the words come to: no stop, perhaps one, one."""


class _Tongue(NamedTuple):
    refusal: Expression
    """Contact is refused ..."""
    for_good: Expression
    """... for good, ..."""
    when: Expression
    """... for a time, or in a place, ..."""
    instead: Expression
    """... or because another way is better."""
    removal: Expression
    """They want out, whatever else they say."""
    kept: Expression
    """What looks like wanting out and is the contrary."""


_ROMANCE_DAYS = "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|segunda|terca|quarta|quinta|sexta|sabado|domingo|lunedi|martedi|mercoledi|giovedi|venerdi"

# ---- written without spaces, or with spaces that do not count -------------------------------------------------------

_ZH_REACH = "(?:打电话|打过来|打来|打给|再打|来电|致电|电话|发短信|发信息|发消息|发邮件|发简讯|短信|简讯|信息|消息|邮件|讯息|联系|联络|找我|打扰|骚扰|烦我|推销|发给我|发了)"
_CHINESE = _Tongue(
    refusal=any_of(
        rf"(?:不要|别|勿|不准|不许|不得|停止|禁止|拒绝|严禁).{{0,8}}{_ZH_REACH}",
        r"(?:不想|不愿意?|不希望|拒绝|不再).{0,4}(?:收到|接到|接收|接听|听到|接受|被).{0,10}(?:短信|简讯|电话|信息|讯息|消息|邮件|来电|联系|联络|打扰|骚扰|推销)",
    ),
    for_good=any_of(r"再|以后|今后|停止|禁止|拒绝|永远|骚扰|不想|不愿|不希望|投诉|一切|任何"),
    when=any_of(r"现在|今天|明天|今晚|早上|上午|中午|下午|晚上|半夜|点|之前|周末|星期|周[一二三四五六日]|上班|工作时间|开会|开车|的时候|期间"),
    instead=any_of(r"(?:短信|简讯|邮件|微信|信息|消息|讯息|电话)(?:就|即可|也|更|都)?(?:好|行|可以|方便|吧)|改(?:用|发|打|成)|(?:请|只|可以)(?:用|发|打)(?:邮件|短信|简讯|信息|消息|电话)"),
    removal=any_of(
        r"^(?:请|我要)?(?:td|退|停|停止|退出|退订|退定|拒收)$",
        r"退订|(?:取消|解除|终止|停止)(?:我的|所有)?(?:订阅|授权|同意)|撤(?:回|销)(?:我的)?(?:同意|授权)",
        r"(?:删除|删掉|删了|移除|去掉|清除|拿掉|移出|注销|抹去).{0,4}(?:我的?)?.{0,3}(?:号码|手机|电话|名字|姓名|资料|数据|个人信息|联系方式|信息)",
        r"我的?.{0,2}(?:号码|手机号?|电话|名字|姓名|资料|数据|信息|联系方式).{0,12}(?:删除|删掉|删了|移除|去掉|清除|拿掉|移出)",
        r"(?:把|将)我.{0,3}(?:从|由|自).{0,12}(?:删除|删掉|移除|去掉|除名|移出|拿掉|剔除)|从.{0,8}名单.{0,4}(?:删|移|除|去|拿)",
    ),
    kept=any_of(r"(?:不要|别|不想|没有?|不会|不小心|误).{0,3}(?:退订|取消订阅|删除|移除|删掉)|(?:恢复|重新)订阅|忘"),
)  # fmt: skip
_JAPANESE = _Tongue(
    refusal=any_of(
        r"(?:電話|連絡|メール|メッセージ|ショートメール|sms|勧誘|送信|コール).{0,10}(?:ないで|するな|しないよう|やめて|止めて|やめろ|お控え|ご遠慮|お断り|拒否|不要|要りません|いりません|必要ありません|必要ない|結構です)",
        r"(?:かけて(?:こ|来)|送って(?:こ|来)|送ら|連絡して(?:こ|来)|かけ).{0,2}ないで|(?:かける|送る|連絡する)のを?(?:は)?(?:やめ|止め)",
    ),
    for_good=any_of(r"もう|二度と|今後|これ以上|一切|やめ|止め|お断り|拒否|不要|結構|絶対"),
    when=any_of(r"今(?!後)|前に|前は|まで|後で|時に|朝|夜|昼|午前|午後|明日|中は|中に|中な|運転|平日|週末|曜"),
    instead=any_of(r"(?:メール|電話|メッセージ|sms|ショートメール|line)(?:で|なら|に)(?:お願い|ください|して|大丈夫|構い|かまい|いい|ok)"),
    removal=any_of(
        r"(?:配信|受信|購読|送信|メルマガ)の?(?:を)?(?:停止|解除|拒否|中止|解約)|登録の?(?:を)?(?:解除|削除|抹消|取り消)|退会|購読を(?:やめ|止め)|オプトアウト|^停止$|^解除$",
        r"(?:番号|連絡先|個人情報|データ|名前|情報|リスト|名簿|登録).{0,6}(?:削除|消して|消去|外して|はずして|抜いて|除外)",
        r"ほっといて|放っておいて|同意を(?:撤回|取り消)",
    ),
    kept=any_of(r"忘れ|(?:退会|解除|削除|停止)(?:は)?(?:しない|しません|したくない)|消さないで|削除しないで"),
)  # fmt: skip
_KO_REACH = "(?:전화|연락|문자|메시지|메세지|메일|이메일|카톡|톡|광고|스팸)"
_KOREAN = _Tongue(
    refusal=any_of(
        rf"{_KO_REACH}.{{0,8}}(?:하지마|하지말|보내지마|보내지말|걸지마|걸지말|주지마|주지말|오지않|안했으면|안하셨으면|안왔으면|그만|중단|중지|사절|거부|받고싶지않|원하지않|원치않|받기싫|안받|싫)",
        r"그만.{0,3}(?:연락|전화|문자|보내)",
    ),
    for_good=any_of(r"다시는|다시|더이상|더는|이제|앞으로|절대|그만|거부|중단|중지|사절|싶지않|원하지않|원치않|말라고|평생"),
    when=any_of(r"지금|오늘|내일|전에|이후|까지는|아침|저녁|밤|오전|오후|점심|새벽|주말|요일|근무|업무|회의중|운전|때는|이따"),
    instead=any_of(r"(?:문자|메일|이메일|카톡|전화|톡)(?:로|으로|는|만)(?:만)?(?:해|주|보내|부탁|괜찮|가능|연락|좋|받)|대신"),
    removal=any_of(
        r"수신거부|수신차단|수신동의철회|(?:구독|알림|동의)(?:을|를)?(?:취소|해지|중단|철회|해제)|(?:회원)?탈퇴",
        r"(?:번호|이름|정보|연락처|데이터|명단|목록|리스트|명부).{0,10}(?:삭제|지워|지우|빼|제외|제거)",
        r"^(?:그만|중지|거부|정지)$|내버려두|귀찮게하지|괴롭히지",
    ),
    kept=any_of(r"(?:수신거부|구독취소|탈퇴|삭제|해지|빼지)(?:는|은)?(?:하지마|하지말|안|말|안했)|잊지|(?:실수로|잘못).{0,6}(?:수신거부|취소)"),
)  # fmt: skip

# ---- with letters of their own --------------------------------------------------------------------------------------

_AR_VERB = (
    r"(?:تتصل\w*|تكلم\w*|تدق\w*|ترن\w*|ترسل\w*|تبعث\w*|تراسل\w*|تكتب\w*|تتواصل\w*|تزعج\w*|تخابر\w*|تضايق\w*|تحك\w*)"
)
_ARABIC = _Tongue(
    refusal=any_of(
        rf"(?<!\w)و?(?:لا|ما|بلاش) {_AR_VERB}",
        r"(?<!\w)(?:توقف\w*|اوقف\w*|وقف\w*|كفوا?|كفي|كفايه|بطل\w*|يكفي|خلاص)(?: \w+)?(?: عن| من)? (?:ال)?(?:اتصال|مكالم|رسا|رسل|ارسال|ازعاج|مراسل|تواصل|سبام|دعاي)\w*",
        r"(?<!\w)(?:لا|ما|مش|لم اعد|مو)(?: عاد)? (?:اريد|ارغب|ابغي|ابي|ابغا|بدي|احب|عايز\w*|عاوز\w*|اود|نريد)(?: \w+){0,3} (?:استقبال|تلقي|استلام|رسائل\w*|مكالمات\w*|اتصال\w*|تواصل\w*|تتصل\w*|تراسل\w*|ترسل\w*|تتواصل\w*|التواصل|تكلم\w*)",
        r"(?<!\w)(?:لا|ما|مش) (?:عايز\w*|ابي|ابغي|بدي|اريد) (?:رسائل|مكالمات|اتصال)\w*|(?<!\w)ماب[يغ]\w* (?:رسا|مكالم|اتصال)\w*",
        r"(?<!\w)عدم (?:ال)?(?:اتصال|ازعاج|تواصل|ارسال|مراسل)\w*",
    ),
    for_good=any_of(r"مره اخري|مره ثانيه|مره تانيه|بعد الان|بعد اليوم|ابدا|مجددا|من جديد|نهائيا|تاني|كمان|توقف|اوقف|وقف|كف|بطل|اريد|ارغب|ابي|ابغي|عايز|بدي"),
    when=any_of(r"(?<!بعد )(?<!\w)الان|قبل|الساعه|(?<!بعد )(?<!\w)اليوم|غدا|بكره|بكرا|صباح|مساء|الليل|ليلا|العمل|حاليا|حتي|عندما|وقت"),
    instead=any_of(r"بدلا|بدل(?!\w)|(?:فقط|بس) (?:رسا|ايميل|واتس|بالبريد)|(?:رسا\w*|ايميل\w*|واتس\w*|البريد\w*)(?: \w+)? (?:فقط|بس|افضل|احسن|مناسب|ممكن|يكفي)|(?<!\w)(?:ارسل|راسل|اكتب|ابعث)\w*"),
    removal=any_of(
        r"(?<!\w)(?:الغاء|الغ|الغوا|الغي|انهاء|وقف|ايقاف) (?:ال)?اشتراك\w*",
        r"(?<!\w)(?:احذف\w*|حذف|امسح\w*|مسح|ازل\w*|ازيل\w*|ازاله|شيل\w*|اشطب\w*|اخرج\w*)(?: \w+){0,2} (?:رقم\w*|رقمي|اسمي|بيانات\w*|معلومات\w*|ال?قائم\w*)",
        r"(?<!\w)(?:اترك|دع|سيب|خلي|خل)\w* (?:و ?شاني|في حالي|بحالي|لحالي)|حلو? ?ا? عني|^(?:توقف|قف|ايقاف|وقف|كفي)$",
    ),
    kept=any_of(r"(?<!\w)تنس\w*|(?<!\w)(?:لا|لم|ما) (?:تلغ|تحذف|تمسح|الغ|اريد الغاء|تشيل)\w*"),
)  # fmt: skip
_RU_VERB = (
    "(?:звон(?:и|ите|ить|ишь)|пиш(?:и|ите)|писать|пис(?:ать)|присыла(?:й|йте|ть)|отправля(?:й|йте|ть)|шл(?:и|ите)|слать|беспоко(?:й|йте|ить)"
    "|тревож(?:ь|ьте|ить)|связыва(?:йтесь|ться|йся)|контактир(?:уйте|овать)|обраща(?:йтесь|ться)|названива(?:й|йте|ть)|надоеда(?:й|йте|ть)|достава(?:й|йте|ть)|спам(?:ь|ьте|ить))"
)
_RU_NOUN = "(?:звон(?:ок|ки|ков|ками)|сообщени(?:я|й|е)|смс\\w*|рассылк\\w*|письм\\w*|писем|спам\\w*|реклам\\w*)"
_RUSSIAN = _Tongue(
    refusal=any_of(
        rf"\bне (?:надо |нужно |смейте |смей |стоит )?(?:(?:мне|нам|меня|нас|сюда|больше|со|с|мной|ко) ){{0,3}}{_RU_VERB}\b",
        rf"\b(?:хватит|прекрат\w+|переста\w+|кончай\w*|довольно|завязыва\w+|достали)(?: \w+){{0,2}} (?:{_RU_VERB}|{_RU_NOUN})",
        rf"\bне (?:хочу|желаю|хотим|желаем|нужны|нужно|надо|интересуют)(?: \w+){{0,4}} (?:получать|слышать|звонили|писали|беспокоили|{_RU_NOUN})",
        rf"\bзапреща\w+(?: \w+){{0,2}} {_RU_VERB}\b",
    ),
    for_good=any_of(r"\b(?:больше|никогда|впредь|совсем|вообще|сюда|хватит|прекрат\w+|переста\w+|достали|хочу|желаю)\b"),
    when=any_of(r"\b(?:до|после|сейчас|сегодня|завтра|утром|утра|вечером|вечера|ночью|днем|пока|раньше|позже|выходн\w+|понедельник\w*|вторник\w*|сред[уы]|четверг\w*|пятниц\w*|суббот\w*|воскресень\w*|на работе|во время|если|когда)\b"),
    instead=any_of(r"\b(?:лучше|вместо|только) (?:\w+ )?(?:пи|на|смс|сообщ|почт|звон|поз|э)\w*|\b(?:пишите|напишите|звоните|позвоните)\b(?<!не звоните)(?<!не пишите)|по (?:почте|смс|телефону|электронной)"),
    removal=any_of(
        r"\b(?:отпиши\w*|отписать\w*|отписк\w*)\b|^(?:стоп|отказ|отпишись)$",
        r"\b(?:удали\w*|убер\w*|сотри\w*|вычеркн\w*|исключи\w*|выпиши\w*)(?: \w+){0,2} (?:номер\w*|меня|нас|данные|телефон\w*|контакт\w*|имя)\b(?! (?:из|со) (?:встреч|приглаш|созвон)\w*)",
        r"\bостав\w+ (?:меня|нас) в покое|\bотстань\w*\b|\bотвяжи\w*|\bотвали\w*|\bотзываю (?:\w+ )?согласие|\bотказываюсь от (?:\w+ )?(?:рассыл|звон|смс|сообщ|получ)\w*",
    ),
    kept=any_of(r"\bне (?:забуд\w*|забыв\w*|удаляй\w*|отписывай\w*|убирай\w*|вычеркивай\w*|исключай\w*|отписыва\w*|хочу отпис\w*)|\bслучайно отпис\w*"),
)  # fmt: skip
_HI_REACH = "(?:कॉल|काल|फोन|मैसेज|मेसेज|मेसेज|संदेश|संपर्क|सम्पर्क|एसएमएस|ईमेल|मेल|टेक्स्ट)"
_HINDI = _Tongue(
    refusal=any_of(
        rf"{_HI_REACH}.{{0,6}}(?:मत|न|ना|नहीं) (?:कर|भेज|दे|दो|आ|कि|की)",
        rf"{_HI_REACH}.{{0,10}}बंद (?:कर|कि|की)|बंद (?:कर|कि|की).{{0,12}}{_HI_REACH}",
        rf"{_HI_REACH}.{{0,4}}नहीं चाह",
        r"(?:परेशान|तंग|डिस्टर्ब).{0,4}(?:मत|न|ना|करना बंद)",
    ),
    for_good=any_of(r"फिर कभी|दोबारा|दुबारा|कभी|आगे से|आइंदा|बंद|और|नहीं चाह|कोई|परेशान|तंग"),
    when=any_of(r"अभी|पहले|बाद|आज|कल|सुबह|शाम|रात|बजे|दोपहर|ऑफिस|मीटिंग|जब|तक"),
    instead=any_of(r"बजाय|(?:मैसेज|मेसेज|ईमेल|टेक्स्ट|कॉल|फोन)(?: ही)? (?:कर दो|कर दें|कर दीजिए|भेज दो|भेज दें|भेज दीजिए|ठीक)"),
    removal=any_of(
        r"(?:नंबर|नम्बर|नाम|डेटा|डाटा|जानकारी|मुझे).{0,30}(?:हटा|मिटा|डिलीट|निकाल)",
        r"(?:सदस्यता|सब्सक्रिप्शन).{0,6}(?:रद्द|बंद|समाप्त|खत्म)|अन ?सब्सक्राइब|अनसबस्क्राइब",
        r"मुझे अकेला छोड़|पीछा छोड़|सहमति वापस",
    ),
    kept=any_of(r"भूल|(?:हटाना|हटाओ|मत हटा|डिलीट मत|निकालना मत|रद्द मत)(?: मत)?"),
)  # fmt: skip

# ---- in Latin letters, accents folded away --------------------------------------------------------------------------

_HING_REACH = "(?:calls?|phone|fon|messages?|msgs?|sms|contact|text|mail|email)"
_HINGLISH = _Tongue(
    refusal=any_of(
        rf"\b{_HING_REACH} (?:\w+ )?(?:mat|nahi|nahin) (?:kar|bhej|dij|de|ki)\w*|\b{_HING_REACH} na (?:kar|bhej|kij)\w+",
        rf"\b{_HING_REACH} (?:kar|bhej)\w+ (?:\w+ )?band|\bband (?:kar|kij)\w*(?: \w+){{0,2}} {_HING_REACH}\b",
        rf"\b{_HING_REACH} (?:nahi|nahin|nhi) chah\w+",
        r"\b(?:pareshan|tang|disturb) (?:mat|na) (?:kar|kij)\w*",
    ),
    for_good=any_of(r"\b(?:dobara|dubara|kabhi|aage se|aainda|band|aur|koi|chah\w+|pareshan)\b"),
    when=any_of(r"\b(?:abhi|pehle|pahle|baad|aaj|kal|subah|shaam|sham|raat|baje|dopahar|office|meeting|jab|tak)\b"),
    instead=any_of(r"\b(?:message|msg|mail|email|text|call|sms)(?: hi)? (?:kar do|kar dena|kardo|bhej do|kar dijiye|theek|thik)\b"),
    removal=any_of(
        r"\b(?:number|no|naam|data|details|info)\b(?: \w+){0,4} (?:delete|hata|hatao|nikal|nikalo|mita|remove)\w*(?: (?:kar|do|dijiye|de)\w*)",
        r"\b(?:unsubscribe|unsub) kar\w*|\bpeecha chhod\w*",
    ),
    kept=any_of(r"\bbhool\w*|\b(?:delete|remove|hata\w*|nikal\w*) (?:mat|na)\b"),
)  # fmt: skip
_VI_REACH = "(?:goi|nhan tin|nhan|lien lac|lien he|lam phien|quay ray|gui|dien thoai|quang cao|spam)"
_VIETNAMESE = _Tongue(
    refusal=any_of(
        rf"\b(?:dung|khong duoc|ngung|cham dut|thoi|khoi)(?: (?:co|bao gio|viec|ngay|lai|\w+))?(?: \w+)? {_VI_REACH}\b",
        rf"\b(?:khong|dung) (?:\w+ )?{_VI_REACH}\b(?: \w+){{0,6}} nua\b",
        r"\bkhong (?:muon|can|thich)(?: \w+){0,3} (?:tin nhan|cuoc goi|dien thoai|goi|lien lac|lien he|quang cao|email)\b|\bkhong muon(?: \w+){0,2} (?:nghe|nhan)\b(?: \w+){0,6} nua\b",
    ),
    for_good=any_of(r"\b(?:nua|ngung|cham dut|khong muon|lam phien|quay ray|bao gio|vinh vien|thoi)\b"),
    when=any_of(r"\b(?:truoc|sau|bay gio|luc|hom nay|ngay mai|toi nay|buoi|sang|chieu|dem|khi|gio|cuoi tuan|thu (?:hai|ba|tu|nam|sau|bay))\b(?<!bao gio)"),
    instead=any_of(r"\b(?:chi|hay|nen|cu|ma) (?:nhan tin|goi|gui email|email|gui)|\b(?:thay vi|thay vao)|\b(?:nhan tin|email|goi dien) (?:thoi|duoc roi|la duoc|thi duoc)\b"),
    removal=any_of(
        r"\b(?:huy|ngung|bo|dung) (?:dang ky|theo doi)\b|\bhuy nhan (?:tin|cuoc)\b",
        r"\b(?:xoa|loai bo|go bo|bo)(?: ten)? (?:so|ten|thong tin|email|toi)\b(?! (?:lich|cuoc hen|buoi))",
        r"\b(?:de|hay de|cho) toi yen\b|\brut lai su dong y\b",
    ),
    kept=any_of(r"\bquen\b|\b(?:dung|khong) (?:huy|xoa|bo) (?:dang ky|so|ten)\b|\b(?:lo|nham) (?:tay )?(?:huy|xoa)\b"),
)  # fmt: skip
_TL_REACH = (
    r"(?:(?:tu|ta)?m?a?tawag\w*|tumawag|tawagan\w*|tinatawagan|(?:mag|i|pag|nag)[ -]?(?:te?)?(?:text|txt|message|msg|email|mensahe|chat|call)\w*|itext|kontak\w*|kumontak\w*|makipag ?ugnayan"
    r"|gulu\w+|istorbo\w*|abalahin|padal\w+|magpadala|mangulit|kulitin)"
)
_TAGALOG = _Tongue(
    refusal=any_of(
        rf"\b(?:huwag|wag|hwag)(?: \w+){{0,5}} {_TL_REACH}\b",
        r"\b(?:ayoko|ayaw ko|ayaw na namin|ayaw namin|hindi ko na|di ko na|di na ako|hindi na ako)(?: \w+){0,3} (?:maka\w*|matanggap|tumanggap|tawag\w*|text\w*|mensahe|message\w*)\b",
        r"\b(?:tigil\w*|itigil|tumigil|ihinto|huminto|tama|tantan\w*)(?: \w+){0,4} (?:ako|kami|pag\w*|tawag\w*|text\w*|kaka\w*|message\w*|panggugulo)\b",
    ),
    for_good=any_of(r"\b(?:na|nang|ulit|muli|kailanman|tigil\w*|itigil|tumigil|ihinto|ayoko)\b"),
    when=any_of(r"\b(?:bago|alas|ngayon|mamaya|mamayang|bukas|habang|kapag|pag(?= (?:nasa|may|wala|hindi|ako))|gabi|umaga|tanghali|hapon|muna|trabaho|opisina|lunes|martes|miyerkules|huwebes|biyernes|sabado|linggo)\b"),
    instead=any_of(r"\b(?:text|email|tawag|message|chat)(?: po)?(?: na)? lang\b|\bsa halip\b"),
    removal=any_of(
        r"\b(?:paki[ -]?(?:tanggal|alis|delete|remove|bura|burahin|tigil)|tanggalin|tanggal|alisin|burahin|bura|i[ -]?delete|i[ -]?remove|idelete)\b(?: \w+){0,5} (?:number|numero|pangalan|listahan|lista|info\w*|ako)\b",
        r"\b(?:mag|paki)[ -]?unsubscribe\b|\bi[ -]?unsubscribe (?:nyo|ninyo|mo|po|na)\b",
    ),
    kept=any_of(r"\bkalimut\w*|\b(?:huwag|wag)(?: \w+){0,4} (?:tanggalin|alisin|burahin|i ?delete|idelete|i ?remove)\b"),
)  # fmt: skip
_HT_REACH = "(?:rele|voye|ekri|kontakte|deranje|anmede|telefone|teks\\w*|text\\w*|nwi|toumante)"
_HAITIAN = _Tongue(
    refusal=any_of(
        rf"\bpa (?:janm |bezwen |dwe |ka )?{_HT_REACH}\b(?: \w+)? ?(?:m|mwen|nou|ban|isit|nimewo)\b",
        rf"\b(?:sispann|rete|fini|ase)(?: ak| avek)? {_HT_REACH}\b|\b(?:sispann|ase)(?: \w+){{0,2}} (?:apel|mesaj|koutfil)\b",
        r"\b(?:mwen|m|nou) pa vle(?: \w+){0,3} (?:apel|mesaj|teks\w*|koutfil|rele|kontakte|ekri)\b",
    ),
    for_good=any_of(r"\b(?:anko|janm|plis|sispann|ase|pa vle|deranje|anmede)\b"),
    when=any_of(r"\b(?:anvan|apre|kounye|kounya|jodi a|demen|maten|aswe|pandan|travay|pita|talè|tale|le m)\b"),
    instead=any_of(r"\b(?:pito|selman|olye|voye (?:yon )?(?:mesaj|imel|teks)|ekri m|imel (?:bon|ok))\b(?<!pa voye mesaj)(?<!sispann voye mesaj)(?<!pa ekri m)"),
    removal=any_of(
        r"\b(?:retire|efase|wete|siprime|elimine)(?: \w+)? (?:nimewo|non|enfomasyon|done)\b|\b(?:retire|wete|efase) (?:m|mwen|nou) (?:sou|nan|soti)\b",
        r"\b(?:dezabone|dezenskri|dezabonman)\w*|\bkite (?:m|mwen|nou) (?:trankil|anpe|an pe)\b",
    ),
    kept=any_of(r"\bpa (?:bliye|retire|efase|wete|siprime)\b"),
)  # fmt: skip
_FR_VERB = "(?:m?appel|rappel|contact|ecri|envo|telephon|derang|sollicit|harcel|relanc|embet|importun|texto|joindre|joign)\\w*"
_FRENCH = _Tongue(
    refusal=any_of(
        rf"\b(?:ne|n) (?:me |m |nous |plus |jamais )*{_FR_VERB}(?: \w+)? ?\b(?:plus|jamais|pas)\b",
        rf"\bne (?:plus|pas|jamais)(?: jamais)?(?: (?:me|m|nous|etre|chercher a))* {_FR_VERB}",
        rf"\b(?:arret|cess|stop|fini)\w*(?: tout\w*)?(?: de| d| avec)?(?: (?:me|m|nous|vos|ces|les|tous|toutes))* {_FR_VERB}",
        r"\b(?:arret|cess|stop|fini)\w* (?:de |d |avec )?(?:vos|ces|les|tous ces|tous vos) (?:messages?|sms|mails?|e mails?|spams?|demarchages?|textos?)\b",
        r"\b(?:ne|n) (?:veu|souhait|desir|voul)\w* (?:plus|pas)(?: \w+){0,5}? (?:recevoir|contact\w*|appel\w*|messages?|sms|que vous|entendre|sollicit\w*|demarch\w*|derang\w*)\b",
        r"(?:^|merci |svp |stp |plait |bonjour |bonsoir )(?:plus|pas|aucun) (?:d |de )?(?:appels?|messages?|sms|textos?|mails?|e mails?|courriels?)\b",
    ),
    for_good=any_of(r"\bplus(?! tard| tot)|\b(?:jamais|arret\w*|cess\w*|stop\w*|veu\w*|souhait\w*)\b"),
    when=any_of(rf"\b(?:avant|apres|maintenant|aujourd|demain|ce (?:matin|soir|midi)|le (?:matin|soir|midi|week ?end)|pendant|entre|quand|lorsque|tant que|au (?:travail|bureau)|heures?|\d+ ?h|tout de suite|{_ROMANCE_DAYS})\b"),
    instead=any_of(r"\b(?:par|via|en) (?:e ?mails?|mails?|courriel|sms|texto|message|telephone|ecrit)\b|\bplutot\b|\b(?:envoyez|ecrivez|appelez|telephonez) (?:moi|nous)\b|\b(?:uniquement|seulement)\b"),
    removal=any_of(
        r"\b(?:supprim|effac|retir|enlev|ray|otez|radi)\w*(?: moi| nous)?(?: \w+){0,3}? (?:numero|nom|coordonnees|donnees|listes?|fichiers?|base)\b",
        r"\b(?:desinscri|desabonn)\w*|\blaiss\w* (?:moi|nous) (?:tranquilles?|en paix)|\b(?:foutez|foutre|fichez|fous|fiche) (?:moi|nous)? ?la paix",
        r"\b(?:retir|revoqu|annul)\w* (?:mon|ma|notre) consentement",
    ),
    kept=any_of(r"\boubli\w*|\bsuis desabonn\w* de\b|\b(?:ne|n) (?:me |nous |m )?(?:supprim|effac|retir|enlev|desabonn|desinscri)\w* (?:pas|jamais)|\bne pas (?:me )?(?:supprim|desabonn|desinscri|retir)\w*|\bdesabonn\w* par (?:erreur|accident)|\b(?:clients?|abonnes) (?:\w+ ){0,2}desabonn\w*"),
)  # fmt: skip
_DE_DAYS = "montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?"
_GERMAN = _Tongue(
    refusal=any_of(
        r"\b(?:ruf|rufen|ruft|rufe)(?: \w+){0,4} (?:nicht|nie|niemals|nimmer)(?: \w+){0,3} an\b",
        r"\b(?:kontaktier|schreib|belastig|text|stor|bombardier|meld)(?:en|et|t|e|s)?\b(?: (?:sie|mich|mir|uns|bitte|euch|ihr)){0,3} (?:nicht|nie|niemals|keine)\b",
        r"\b(?:nicht|nie|niemals)(?: mehr| wieder| langer)? (?:von \w+ )?(?:angerufen|anrufen|kontaktier\w*|anschreiben|angeschrieben|schreiben|belastig\w*|zu kontaktieren|anzurufen)\b",
        r"\b(?:hor|hort|horen|stopp\w*|unterlass\w*|beend\w*|schluss)(?: (?:sie|endlich|bitte|sofort|doch|mal|mit))*(?: (?:auf|ihre|diese|die|den|dem|weiter\w*))*(?: (?:sie|endlich|bitte|mich|uns|mir|damit|weiter))* (?:anzurufen|zu (?:schreiben|kontaktieren|belastigen|nerven|texten|storen)|anrufe\w*|nachrichten|werbung|sms|spam|kontaktieren|mails?|e mails?|kontakt\w*)\b",
        r"\bkeine?n? (?:weiteren? |ihrer? )?(?:anrufe?|nachrichten|sms|werbung|werbe\w*|mails?|e mails?|kontakt|kontaktaufnahmen?|texte)(?: \w+)? (?:mehr|erwunscht|wunsch\w*)\b|^(?:bitte )?keine (?:anrufe|nachrichten|sms|mails|e mails|werbung)(?: bitte)?$",
        r"\b(?:mochte|will|wunsche|mochten|wollen)(?: \w+){0,3} (?:nicht|nichts|keine?n?)(?: \w+){0,5} (?:anruf\w*|nachricht\w*|sms|kontaktiert|angerufen|horen|werbung|mails?)\b",
    ),
    for_good=any_of(r"\b(?:mehr|nie|niemals|wieder|hor|hort|horen|stopp\w*|unterlass\w*|beend\w*|schluss|weiteren?|mochte|will|wunsche)\b"),
    when=any_of(rf"\b(?:vor|nach|jetzt|gerade|heute|morgen|abends?|morgens|nachts|mittags|vormittags?|nachmittags?|wahrend|zwischen|wenn|bevor|bis|uhr|wochenende|arbeit|buro|{_DE_DAYS})\b"),
    instead=any_of(r"\b(?:lieber|stattdessen|nur noch|besser|nur per)\b|\bper (?:mail|e ?mail|sms|post|telefon|text)\b|\b(?:e ?mails?|mails?|sms|text\w*|anrufe?|telefon|nachrichten)(?: \w+)? (?:ist|sind|geht|gehen|passt|genugt|reicht|ok|okay|gern\w*|in ordnung)\b"),
    removal=any_of(
        r"\b(?:losch|entfern|streich|tilg|vernicht)\w*(?: \w+){0,3}? (?:nummer|rufnummer|telefonnummer|handynummer|daten|namen?|kontaktdaten|liste|verteiler|kartei|mich|uns)\b(?! (?:aus|von) (?:der|dem) (?:einladung|termin|meeting))",
        r"\b(?:nehm|nimm|nehmt|streich|trag)\w*(?: \w+){0,2} (?:mich|uns|meine nummer|meinen namen)(?: \w+)? (?:von|aus|vom)\b(?! (?:der|dem) (?:einladung|termin|meeting))",
        r"^(?:bitte )?(?:abmelden|abbestellen|abmeldung|aufhoren|austragen|abbestellung)(?: bitte)?$|\b(?:mich|uns)(?: \w+){0,4} (?:abmelden|austragen|abzumelden|auszutragen)\b|\bmelde\w* (?:sie )?(?:mich|uns)(?: \w+){0,4} ab\b",
        r"\blass\w* (?:sie )?(?:mich|uns)(?: \w+)? in (?:ruhe|frieden)|\bwiderruf\w*(?: \w+){0,4} (?:einwilligung|zustimmung)|\b(?:einwilligung|zustimmung)(?: \w+){0,3} (?:widerruf\w*|zuruck\w*)",
    ),
    kept=any_of(r"\bvergess\w*|\bvergiss\b|\b(?:losch|entfern|streich)\w*(?: \w+){0,4} nicht\b|\bnicht (?:losch|entfern|streich|abmeld|austrag)\w*|\b(?:aus versehen|versehentlich) (?:ab|aus)\w*"),
)  # fmt: skip
_PL_VERB = "(?:dzwon(?:ic|cie)?|wydzwania(?:c|jcie)|pisz(?:cie)?|pisac|wysyla(?:c|jcie|j)|przysyla(?:c|jcie|j)|kontakt(?:owac|ujcie|uj)|niepoko(?:ic|jcie)|neka(?:c|jcie)|zawraca(?:c|jcie)|przeszkadza(?:c|jcie)|telefonowac|telefonujcie)"
_POLISH = _Tongue(
    refusal=any_of(
        rf"\bnie (?:(?:do|mnie|mi|nas|sie|ze|mna|juz|wiecej|nigdy|prosze) ){{0,4}}{_PL_VERB}\b",
        rf"\b(?:przesta\w+|skoncz\w+|dosc|koniec|zaprzesta\w+)(?: \w+){{0,3}} (?:{_PL_VERB}|dzwonienia|pisania|telefon\w*|sms\w*|wiadomosci|kontakt\w*|spam\w*)\b",
        r"\bnie (?:zycze sobie|zyczymy sobie|chce|chcemy)(?: \w+){0,3} (?:telefon\w*|dostawac|otrzymywac|kontakt\w*|wiadomosci|sms\w*|zebyscie|polaczen)\b",
    ),
    for_good=any_of(r"\b(?:wiecej|juz|nigdy|przesta\w+|skoncz\w+|dosc|koniec|zycze|zyczymy|chce)\b"),
    when=any_of(r"\b(?:przed|teraz|dzis\w*|jutro|rano|wieczor\w*|w nocy|noca|podczas|w pracy|gdy|kiedy|jesli|weekend\w*|godzin\w*|po (?:\d\w*|godz\w*|pracy|poludniu)|poniedzial\w*|wtor\w*|srod\w*|czwart\w*|piat\w*|sobot\w*|niedziel\w*)\b"),
    instead=any_of(r"\b(?:zamiast|lepiej|tylko)\b|\b(?:prosze|moze|mozna) (?:o )?(?:sms|mail\w*|e ?mail\w*|napisac|zadzwonic)\b|\b(?:mail\w*|sms\w*|e ?mail\w*) (?:jest |jak najbardziej )?(?:ok|w porzadku|wystarczy)\b"),
    removal=any_of(
        r"\b(?:usun\w*|usuniecie|wykresl\w*|skasuj\w*|skasowac|wymaz\w*|wypis\w*|wykreslenie)(?: \w+){0,2}? (?:numer\w*|dane|danych|mnie|nas|telefon\w*|nazwisk\w*)\b(?! (?:ze|z) (?:spotkan|zaproszen)\w*)",
        r"\b(?:wypisz|wypisac|wypisuje) (?:mnie|sie)\b|\b(?:mnie|moj numer|moje dane) (?:wykreslic|usunac|wypisac|skasowac)\b|\brezygnuje z (?:newsletter\w*|subskrypcj\w*|kontakt\w*|sms\w*)",
        r"\b(?:cofa\w*|wycofuj\w*|odwoluj\w*|cofniecie)(?: \w+){0,2} zgod\w*|\bdaj\w*(?: (?:mi|nam|swiety|juz|wreszcie))* spokoj|\bodczep\w* sie\b|\bzostaw\w* mnie w spokoju",
    ),
    kept=any_of(r"\bzapom\w*|\bnie (?:usuwa\w*|wykresla\w*|wypisuj\w*|kasuj\w*)|\bprzez pomylke\b"),
)  # fmt: skip
_PT_VERB = "(?:ligue|liguem|liga|ligar|ligando|ligarem|mande|mandem|manda|mandar|mandando|envie|enviem|enviar|escreva|escrevam|escrever|contate|contatem|contatar|contacte|contactem|contactar|entrem? (?:mais )?em contato|entrar em contato|perturbe|perturbem|incomode|incomodem|chame|chamem|telefone|telefonem)"
_PORTUGUESE = _Tongue(
    refusal=any_of(
        rf"\b(?:nao|nunca|jamais)(?: (?:me|nos|mais|quero que|voltem a|volte a|fiquem|fique|para|precisa|precisam|voces|voce)){{0,4}} {_PT_VERB}\b",
        r"\b(?:pare|parem|para de|parar de|chega|cessem?|deixem? de)(?: ja)?(?: de| com)?(?: (?:as|os|me|ficar|tanta|tantas|essas|esses))* (?:ligar|ligando|ligac\w+|mandar|mandando|enviar|mensage\w+|escrever|perturbar|incomodar|encher|contatar|sms|chamadas|telefonar|spam)\b",
        r"\bnao (?:quero|queremos|desejo|gostaria de|aceito)(?: \w+){0,3} (?:ligac\w+|mensage\w+|que (?:voces )?me|contato|contatad\w+|sms|chamadas|e ?mails?|ser incomodad\w)\b",
    ),
    for_good=any_of(r"\b(?:mais|novamente|nunca|jamais|pare|parem|para de|parar de|chega|cess\w+|quero|desejo)\b"),
    when=any_of(rf"\b(?:antes|depois|agora|hoje|amanha|de manha|noite|tarde|durante|quando|ate|enquanto|no trabalho|horas?|{_ROMANCE_DAYS})\b"),
    instead=any_of(r"\b(?:so|apenas|somente|prefiro|melhor|de preferencia)(?: \w+)? (?:mensage\w+|texto|e ?mail|whatsapp|sms|ligac\w+|ligar|telefone|por)\b|\b(?:mensagem|e ?mail|texto)(?: \w+)? (?:esta bom|tudo bem|pode|ok)\b"),
    removal=any_of(
        r"\b(?:remov|tir|apag|exclu|delet|elimin|retir)\w*(?: \w+){0,3}? (?:numero|nome|dados|telefone|contato|cadastro|lista|celular)\b",
        r"\b(?:descadastr|desinscrev|desinscri)\w*|\bcancel\w* (?:\w+ ){0,2}?(?:inscricao|assinatura|cadastro|subscricao)\b|\b(?:me|nos) deix\w+ em paz|\bdeix\w+ (?:me|nos) em paz|\b(?:revogo|retiro) (?:\w+ )?consentimento|^(?:sair|parar|pare)$",
    ),
    kept=any_of(r"\besque[cs]\w*|\bnao pare[m]?\b|\bnao (?:me )?(?:remov|tir|apag|exclu|delet|cancel|descadastr)\w*|\bpor engano\b|\bsem querer\b"),
)  # fmt: skip
_ITALIAN = _Tongue(
    refusal=any_of(
        r"\b(?:non|mai)(?: (?:mi|ci|piu|mai|dovete|deve|si permetta di|voglio che))* (?:chiam(?:i|ate|atemi|armi|ateci|arci|are|atela|iate)|telefon(?:i|ate|atemi|armi|are)|scriv(?:a|ete|etemi|ermi|ere|iate|ano)|contatt(?:i|ate|atemi|armi|ateci|are)|mand(?:i|ate|atemi|armi|are)|invi(?:i|ate|atemi|are)|disturb(?:i|ate|atemi|armi|are)|richiam(?:i|ate|atemi))\b",
        r"\b(?:smett\w+|finit\w+|piant\w+|basta)(?: (?:di|con|subito|le|i|queste|questi|tutte|tutti|mi|ci))* (?:chiam\w+|scriv\w+|mand\w+|messagg\w+|telefon\w+|contatt\w+|disturb\w+|e ?mail|sms|spam|pubblicita|assill\w+)\b",
        r"\bnon (?:voglio|desidero|vogliamo|intendo)(?: \w+){0,4} (?:ricevere|contattat\w+|messagg\w+|chiamat\w+|telefonat\w+|sentirvi|sentire|che mi|disturbat\w+|vostr\w+)\b",
    ),
    for_good=any_of(r"\bpiu(?! tardi| avanti)|\b(?:mai|smett\w+|finit\w+|piant\w+|basta|nuovo|voglio|desidero)\b"),
    when=any_of(rf"\b(?:prima|dopo|adesso|ora|oggi|domani|stasera|mattina|mattino|sera|pomeriggio|notte|durante|quando|mentre|finche|lavoro|ufficio|fino|{_ROMANCE_DAYS})\b"),
    instead=any_of(r"\b(?:solo|soltanto|piuttosto|meglio|preferisco)\b|\b(?:per|via) (?:e ?mail|mail|sms|messaggio|telefono|iscritto)\b"),
    removal=any_of(
        r"\b(?:cancell|rimuov|tolg|togl|elimin)\w*(?: \w+){0,3}? (?:numero|nome|nominativo|dati|lista|elenc\w+|contatti|iscrizione|rubrica|database)\b",
        r"\b(?:disiscriv|disiscri)\w*|\bannull\w* (?:\w+ ){0,2}?iscrizione\b|\bcancellatemi\b|\btoglietemi\b|\blasci\w*(?: mi| ci)? in pace|\b(?:revoco|ritiro)(?: \w+){0,2} consenso\b",
    ),
    kept=any_of(r"\bdiment\w*|\bnon (?:mi )?(?:cancell|rimuov|togl|elimin|disiscri)\w*|\bper (?:sbaglio|errore)\b"),
)  # fmt: skip

_SIGNS = (_CHINESE, _JAPANESE, _KOREAN)
_OWN_LETTERS = (_ARABIC, _RUSSIAN, _HINDI)
_LATIN = (_VIETNAMESE, _TAGALOG, _HAITIAN, _HINGLISH, _FRENCH, _GERMAN, _POLISH, _PORTUGUESE, _ITALIAN)

_SENTENCE = re.compile(r"[.!?;\n\u3002\uff01\uff1f\u061f\u061b\u0964]+")
_HAS_SIGNS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u1100-\u11ff]|^td$")
_KANA = re.compile("[\u3040-\u30ff]")
_HAS_OWN_LETTERS = re.compile("[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f]")
_ACCENTED = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_NO_LATIN = re.compile(r"[^a-z0-9]+")
_NO_LETTER = re.compile("[^a-z0-9\u0400-\u04ff\u0600-\u06ff\u0900-\u097f]+")
_MARKS = re.compile("[\u064b-\u0652\u0640\u093c]")
"""Vowels and the drawn-out line of Arabic, and the dot under a letter of Hindi."""
_FOLDED = str.maketrans({"đ": "d", "ł": "l", "ß": "ss", "œ": "oe", "æ": "ae", "ı": "i"})
_ONE_LETTER = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ё": "е"})
_SIMPLIFIED = str.maketrans(
    "請別電話發傳簡訊聯絡繫刪號碼單從個訂閱騷擾給來過們資數據變點現與週開會車時錄終註銷還沒許煩關係絕誤無間講說將讓",
    "请别电话发传简讯联络系删号码单从个订阅骚扰给来过们资数据变点现与周开会车时录终注销还没许烦关系绝误无间讲说将让",
)
_SENT = str.maketrans({"传": "发", "寄": "发"})
"""Each of them is to send."""


@remembered
def judged(text: str) -> Word:
    """What ``text`` comes to in any of these languages: the most that one of its sentences does."""
    said = unicodedata.normalize("NFKC", lowered(text))
    return _most(_sentence(sentence.strip()) for sentence in _SENTENCE.split(said) if sentence.strip())


Letters = Literal["", "read", "unread"]
_FEWEST = 3
_LATIN_END, _READ = "\u024f", re.compile("[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@remembered
def letters(text: str) -> Letters:
    """Whether most of ``text`` is in other letters than Latin ones: in those of a language above, which are "read" for stops
    and for nothing else, or in those of none, which nobody here reads at all."""
    all_letters = [letter for letter in unicodedata.normalize("NFC", text) if letter.isalpha()]
    other = [letter for letter in all_letters if letter > _LATIN_END and not "\u1e00" <= letter <= "\u1eff"]
    if len(other) < _FEWEST or 2 * len(other) < len(all_letters):
        return ""
    return "read" if 2 * sum(bool(_READ.match(letter)) for letter in other) >= len(other) else "unread"


def _sentence(sentence: str) -> Word:
    if _HAS_SIGNS.search(sentence):
        dense = "".join(sentence.split())
        kana = bool(_KANA.search(dense))
        simple = dense.translate(_SIMPLIFIED).translate(_SENT)
        return _most(_by(tongue, simple if tongue is _CHINESE else dense) for tongue in ((_JAPANESE,) if kana else _SIGNS))
    if _HAS_OWN_LETTERS.search(sentence):
        letters = " ".join(_NO_LETTER.sub(" ", _MARKS.sub("", sentence).translate(_ONE_LETTER)).split())
        return _most(_by(tongue, letters) for tongue in _OWN_LETTERS)
    return _most(_by(tongue, folded(sentence)) for tongue in _LATIN)


def _most(words: Iterable[Word]) -> Word:
    found = set(words)
    return "stop" if "stop" in found else "doubt" if "doubt" in found else ""


def _by(tongue: _Tongue, sentence: str) -> Word:
    if tongue.kept.search(sentence):
        return ""
    if tongue.removal.search(sentence):
        return "stop"
    if not tongue.refusal.search(sentence):
        return ""
    if tongue.instead.search(sentence):
        return "doubt"
    if tongue.when.search(sentence):
        return "doubt" if tongue.for_good.search(sentence) else ""
    return "stop"


def folded(text: str) -> str:
    """``text`` (lower case) in bare Latin letters and digits: "Đừng gọi!" becomes "dung goi"."""
    plain = _ACCENTED.sub("", unicodedata.normalize("NFD", text.translate(_FOLDED)))
    return " ".join(_NO_LATIN.sub(" ", plain).split())
