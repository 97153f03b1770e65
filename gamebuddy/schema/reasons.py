"""Says in Russian and English what one signal found."""

import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from gamebuddy import db
from gamebuddy.resolvers.matching import Fit, Roles, Signal, tables
from gamebuddy.resolvers.search import Cause, Hint
from gamebuddy.resolvers.search.hinting import MOST_COUNTED

type Games = Mapping[uuid.UUID, db.Game]
type Said = tuple[str, str]  # in English, in Russian

THOUSANDTHS_IN_A_HUNDREDTH = 10


def say(fit: Fit, signal: Signal, games: Games, *, in_russian: bool) -> str:
    """Say what a signal found. `games` holds at least those of the candidate."""
    return SPEAKERS[signal](fit, games, in_russian)


def say_hint(hint: Hint, *, in_russian: bool) -> str:
    """Say what keeps how many players out of a list."""
    return (_hint_in_russian if in_russian else _hint_in_english)(hint)


def _hint_in_english(hint: Hint) -> str:
    count = (
        f"{MOST_COUNTED} and more players" if hint.player_count >= MOST_COUNTED else f"{hint.player_count} more players"
    )
    players = "1 more player" if hint.player_count == 1 else count
    limits = " and ".join(NAMES[signal][0] for signal in hint.signals)
    match hint.cause:
        case Cause.FILTER:
            return f"Without the limit on {limits} there would be {players}"
        case Cause.PROFILE:
            return f"{players} do not share your {limits}"
        case Cause.MISSING:
            return f"Tell when you play and in which time zone: {players} could be compared by {limits}"


def _hint_in_russian(hint: Hint) -> str:
    count = min(hint.player_count, MOST_COUNTED)
    players = f"{_ru(count, PLAYERS)} и больше" if hint.player_count >= MOST_COUNTED else f"ещё {_ru(count, PLAYERS)}"
    limits = ", ".join(NAMES[signal][1] for signal in hint.signals)
    match hint.cause:
        case Cause.FILTER:
            return f"Без ограничения в фильтре ({limits}): {players}"
        case Cause.PROFILE:
            return f"Не совпадают с вашим профилем ({limits}): {players}"
        case Cause.MISSING:
            return f"Укажите часы игры и часовой пояс, чтобы сравнить общие часы: {players}"


def _games(fit: Fit, games: Games, in_russian: bool) -> str:
    if not fit.viewer.games:
        return "Вы не указали свои игры" if in_russian else "You have not told what you play"
    if not fit.shared_game_ids:
        return "Нет общих игр" if in_russian else "No game in common"
    title, more = games[fit.shared_game_ids[0]].title, len(fit.shared_game_ids) - 1
    if in_russian:
        return f"Вы оба играете в {title} и ещё в {_ru(more, GAMES)}" if more else f"Вы оба играете в {title}"
    return f"You both play {title} and {more} more" if more else f"You both play {title}"


def _rating(fit: Fit, games: Games, in_russian: bool) -> str:
    if fit.comparison is None:
        return "Нет рейтингов для сравнения" if in_russian else "No ratings to compare"
    title, distance = games[fit.comparison.game_id].title, fit.comparison.distance
    if not distance:
        return f"Равные рейтинги в {title}" if in_russian else f"Equal ratings in {title}"
    if in_russian:
        return f"Разница рейтингов в {title}: {_ru(distance, POINTS)}"
    return f"Ratings 1 point apart in {title}" if distance == 1 else f"Ratings {distance} points apart in {title}"


def _roles(fit: Fit, games: Games, in_russian: bool) -> str:
    if fit.comparison is None:
        return "Нет ролей для сравнения" if in_russian else "No roles to compare"
    title = games[fit.comparison.game_id].title
    match fit.comparison.roles:
        case Roles.COMPLEMENT:
            return (
                f"Ваши роли в {title} дополняют друг друга"
                if in_russian
                else f"Your roles in {title} complement each other"
            )
        case Roles.DUPLICATE:
            return f"У вас одни и те же роли в {title}" if in_russian else f"You play the same roles in {title}"
        case Roles.UNKNOWN:
            return f"Роли в {title} не указаны" if in_russian else f"Roles in {title} are not told"


def _genres(fit: Fit, _: Games, in_russian: bool) -> str:
    shared = fit.shared_genres
    if shared is None:
        return "Любимые жанры не указаны" if in_russian else "Favourite genres are not told"
    if not shared:
        return "Нет общих жанров" if in_russian else "No genre in common"
    if in_russian:
        return _ru(shared, GENRES)
    return "1 genre in common" if shared == 1 else f"{shared} genres in common"


def _schedule(fit: Fit, _: Games, in_russian: bool) -> str:
    hours = fit.overlap_hours
    if hours is None:
        return "Часы игры не указаны" if in_russian else "Hours of play are not told"
    if not hours:
        return "Нет общих часов" if in_russian else "No common hours"
    if in_russian:
        return f"{_ru(hours, HOURS)} в неделю"
    return "1 common hour a week" if hours == 1 else f"{hours} common hours a week"


def _language(fit: Fit, _: Games, in_russian: bool) -> str:
    if not fit.viewer.languages or not fit.candidate.languages:
        return "Языки не указаны" if in_russian else "Languages are not told"
    if fit.language is None:
        return "Нет общего языка" if in_russian else "No language in common"
    if in_russian:
        return f"Общий язык: {_language_name(fit.language, 'ru')}"
    return f"You both speak {_language_name(fit.language, 'en')}"


def _region(fit: Fit, _: Games, in_russian: bool) -> str:
    mine, theirs = fit.viewer.region, fit.candidate.region
    if mine is None or theirs is None:
        return "Регион не указан" if in_russian else "Regions are not told"
    return REGIONS[tables.region_value(mine, theirs)][in_russian]


def _platform(fit: Fit, _: Games, in_russian: bool) -> str:
    if not fit.viewer.platforms or not fit.candidate.platforms:
        return "Платформы не указаны" if in_russian else "Platforms are not told"
    if fit.viewer.platforms & fit.candidate.platforms:
        return "Есть общая платформа" if in_russian else "A platform in common"
    return "Нет общей платформы" if in_russian else "No platform in common"


def _play_style(fit: Fit, _: Games, in_russian: bool) -> str:
    mine, theirs = fit.viewer.play_style, fit.candidate.play_style
    if mine is None or theirs is None:
        return "Стиль игры не указан" if in_russian else "Play styles are not told"
    if mine is theirs:
        return "Один стиль игры" if in_russian else "The same play style"
    if tables.style_value(mine, theirs):
        return "Похожий стиль игры" if in_russian else "Similar play styles"
    return "Противоположный стиль игры" if in_russian else "Opposite play styles"


def _voice_chat(fit: Fit, _: Games, in_russian: bool) -> str:
    mine, theirs = fit.viewer.voice_chat, fit.candidate.voice_chat
    if mine is None or theirs is None:
        return "Голосовой чат не указан" if in_russian else "Voice chat is not told"
    if mine is theirs:
        return "Одно мнение о голосовом чате" if in_russian else "The same wish for voice chat"
    value = tables.voice_value(mine, theirs)
    if value >= tables.GOOD_VOICE:
        return "О голосовом чате легко договориться" if in_russian else "Wishes for voice chat that go together"
    if value:
        return "Разные пожелания к голосовому чату" if in_russian else "Different wishes for voice chat"
    return "Противоположные пожелания к голосовому чату" if in_russian else "Opposite wishes for voice chat"


def _age(fit: Fit, _: Games, in_russian: bool) -> str:
    starts = tables.band_starts(fit.as_of)
    mine = tables.age_band(fit.viewer.birth_date, starts)
    theirs = tables.age_band(fit.candidate.birth_date, starts)
    if mine is None or theirs is None:
        return "Возраст не указан" if in_russian else "Ages are not told"
    if mine is theirs:
        return "Примерно один возраст" if in_russian else "About the same age"
    return "Разный возраст" if in_russian else "Different ages"


def _reputation(fit: Fit, _: Games, in_russian: bool) -> str:
    reputation = fit.candidate.reputation
    if reputation is None:
        return "Похвал пока нет" if in_russian else "No praise yet"
    hundredths = reputation // THOUSANDTHS_IN_A_HUNDREDTH
    return f"Репутация {hundredths} из 100" if in_russian else f"Reputation {hundredths} of 100"


def _activity(fit: Fit, _: Games, in_russian: bool) -> str:
    days = fit.days_since_active
    if not days:
        return "Был в сети сегодня" if in_russian else "Seen today"
    if in_russian:
        return f"Был в сети {_ru(days, DAYS)} назад"
    return "Seen yesterday" if days == 1 else f"Seen {days} days ago"


REGIONS: Mapping[int, Said] = {
    tables.SAME_REGION: ("The same region", "Один регион"),
    tables.NEIGHBOUR: ("Neighbouring regions", "Соседние регионы"),
    tables.TOLERABLE: ("Regions some way apart", "Регионы не рядом, но играть можно"),
    tables.FAR: ("Regions far apart", "Регионы далеко друг от друга"),
}
SPEAKERS: Mapping[Signal, Callable[[Fit, Games, bool], str]] = {
    Signal.GAMES: _games,
    Signal.RATING: _rating,
    Signal.ROLES: _roles,
    Signal.GENRES: _genres,
    Signal.SCHEDULE: _schedule,
    Signal.LANGUAGE: _language,
    Signal.REGION: _region,
    Signal.PLATFORM: _platform,
    Signal.PLAY_STYLE: _play_style,
    Signal.VOICE_CHAT: _voice_chat,
    Signal.AGE: _age,
    Signal.REPUTATION: _reputation,
    Signal.ACTIVITY: _activity,
}

NAMES: Mapping[Signal, Said] = {
    Signal.GAMES: ("games", "игры"),
    Signal.RATING: ("rating", "рейтинг"),
    Signal.ROLES: ("roles", "роли"),
    Signal.GENRES: ("genres", "жанры"),
    Signal.SCHEDULE: ("common hours", "общие часы"),
    Signal.LANGUAGE: ("languages", "языки"),
    Signal.REGION: ("region", "регион"),
    Signal.PLATFORM: ("platforms", "платформы"),
    Signal.PLAY_STYLE: ("play style", "стиль игры"),
    Signal.VOICE_CHAT: ("voice chat", "голосовой чат"),
    Signal.AGE: ("age", "возраст"),
    Signal.REPUTATION: ("reputation", "репутация"),
    Signal.ACTIVITY: ("activity", "активность"),
}

# Forms after 1, 2 and 5.
PLAYERS = ("игрок", "игрока", "игроков")
GAMES = ("игру", "игры", "игр")
POINTS = ("очко", "очка", "очков")
GENRES = ("общий жанр", "общих жанра", "общих жанров")
HOURS = ("общий час", "общих часа", "общих часов")
DAYS = ("день", "дня", "дней")
FORMS = {"one": 0, "few": 1, "many": 2}


@lru_cache(10_000)
def _ru(count: int, forms: tuple[str, str, str]) -> str:
    return f"{count} {forms[FORMS[Locale('ru').plural_form(count)]]}"


@lru_cache(10_000)
def _language_name(tag: str, locale: str) -> str:
    try:
        return Locale.parse(tag, sep="-").get_display_name(locale) or tag
    except (ValueError, UnknownLocaleError):
        return tag
