"""The sample's encyclopedia: HTML pages in Korean and English, the same on every machine.

Titles and sentences are put together from word lists. SHAKE-128 makes the choices, because unlike
`random` its output is fixed by a standard (FIPS 202) and not by a version of Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import shake_128

_SMALLEST_PAGE_BYTES = 200
_PAGE_SPREAD_BYTES = 11_800
_FIRST_SYLLABLE = "가"
_LAST_SYLLABLE = "힣"
# Unicode's Hangul syllables: 588 to each initial consonant.
_SYLLABLES_PER_INITIAL = 588
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"


@dataclass(frozen=True, slots=True)
class Language:
    """What pages of one language are made of.

    Attributes:
        folder: folder of the pages.
        code: BCP 47 tag.
        title: pattern of a page's title, with `place` and `subject`.
        places: what pages are about.
        subjects: which side of it they tell.
        openings: beginnings of sentences, with `title`.
        middles: what follows.
        endings: ends of sentences.
    """

    folder: str
    code: str
    title: str
    places: tuple[str, ...]
    subjects: tuple[str, ...]
    openings: tuple[str, ...]
    middles: tuple[str, ...]
    endings: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


KOREAN = Language(
    folder="백과사전",
    code="ko",
    title="{place}의 {subject}",
    places=_words(
        "가야,강릉,개성,경주,고구려,광주,금강산,나주,낙동강,남해,단양,대구,대동강,두만강,마산,"
        "목포,백두산,백제,발해,부산,서울,설악산,수원,신라,압록강,안동,여수,울릉도,원산,전주,"
        "제주,진주,청주,춘천,충주,태백,평양,포항,한강,함흥"
    ),
    subjects=_words(
        "역사,지리,기후,문화,음식,건축,음악,문학,미술,언어,산업,교통,교육,과학,철도,항구,시장,"
        "농업,어업,광업,공예,놀이,명절,전설,식물,동물,산맥,하천,인구,지도"
    ),
    openings=(
        "{title}에 대한 가장 오래된 기록은",
        "여러 학자는 이 주제에 관하여",
        "오늘날 이 지역에서는",
        "옛 지도와 문서에 따르면",
        "계절이 바뀔 때마다 사람들은",
        "19세기 말에 이르러",
    ),
    middles=(
        "강을 따라 생겨난 마을에서",
        "바다를 건너온 상인들과 함께",
        "산에서 내려온 물을 이용하여",
        "장인들의 솜씨를 바탕으로",
        "이웃한 고을과 서로 도우며",
        "학교와 도서관을 중심으로",
    ),
    endings=(
        "널리 알려지게 되었다.",
        "지금까지 이어지고 있다.",
        "새로운 모습으로 발전하였다.",
        "많은 이야기를 남겼다.",
        "생활의 중요한 부분이 되었다.",
        "다음 세대에 전해졌다.",
    ),
)
ENGLISH = Language(
    folder="Encyclopedia",
    code="en",
    title="{subject} of {place}",
    places=_words(
        "Africa,Amsterdam,the Andes,Antarctica,Athens,Australia,the Baltic,Berlin,Brazil,Cairo,"
        "Canada,the Caucasus,Chile,Denmark,Ethiopia,Finland,the Ganges,Greece,Iceland,India,"
        "Istanbul,Italy,Japan,Kenya,Lisbon,London,Mexico,Mongolia,Morocco,New Zealand,the Nile,"
        "Norway,Paris,Peru,Portugal,Prague,the Sahara,Scotland,Vietnam,Zanzibar"
    ),
    subjects=_words(
        "History,Geography,Climate,Culture,Cuisine,Architecture,Music,Literature,Painting,"
        "Languages,Industry,Transport,Education,Science,Railways,Harbours,Markets,Agriculture,"
        "Fisheries,Mines,Crafts,Games,Festivals,Legends,Plants,Animals,Mountains,Rivers,"
        "People,Maps"
    ),
    openings=(
        "The oldest record of the {title}",
        "What travellers wrote about it",
        "A long dispute among scholars",
        "The work of many generations",
        "Every account of the region",
        "By the end of the nineteenth century, trade",
    ),
    middles=(
        "was shaped by the villages along the river and",
        "came with merchants from across the sea and",
        "began with the water of the mountains and",
        "rested on the skill of its craftsmen and",
        "grew out of the help of neighbouring towns and",
        "centred on schools and libraries and",
    ),
    endings=(
        "became known far and wide.",
        "has lasted to this day.",
        "took on a new form.",
        "left many stories behind.",
        "turned into a part of daily life.",
        "was handed down to the next generation.",
    ),
)


def pages(language: Language) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every page of one language."""
    for place in language.places:
        for subject in language.subjects:
            title = language.title.format(place=place, subject=subject)
            letter = _letter(place.removeprefix("the "))
            yield f"{language.folder}/{letter}/{title}.html", _page(language, title)


def _letter(word: str) -> str:
    """The section of the encyclopedia in which a word stands."""
    first = word[0]
    if _FIRST_SYLLABLE <= first <= _LAST_SYLLABLE:
        return _INITIALS[(ord(first) - ord(_FIRST_SYLLABLE)) // _SYLLABLES_PER_INITIAL]
    return first.upper()


def _page(language: Language, title: str) -> bytes:
    choices = shake_128(title.encode()).digest(4096)
    wanted_bytes = _SMALLEST_PAGE_BYTES + int.from_bytes(choices[:4]) * _PAGE_SPREAD_BYTES // (
        1 << 32
    )
    lines = [
        f'<!doctype html>\n<html lang="{language.code}">\n<meta charset="utf-8">',
        f"<title>{title}</title>\n<h1>{title}</h1>",
    ]
    length_bytes = sum(len(line.encode()) + 1 for line in lines)
    at = 4
    while length_bytes < wanted_bytes:
        opening = language.openings[choices[at] % len(language.openings)].format(title=title)
        middle = language.middles[choices[at + 1] % len(language.middles)]
        ending = language.endings[choices[at + 2] % len(language.endings)]
        line = f"<p>{opening} {middle} {ending}"
        lines.append(line)
        length_bytes += len(line.encode()) + 1
        at += 3
    return "\n".join([*lines, ""]).encode()
