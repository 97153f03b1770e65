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
    """Say what a signal found. `games` holds at least those that `games_named` asks for."""
    return SPEAKERS[signal](fit, games)[in_russian]


def games_named(fit: Fit) -> list[uuid.UUID]:
    """Give the games whose titles the texts need."""
    return [*fit.shared_game_ids[:1], *([fit.comparison.game_id] if fit.comparison else [])]


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


def _games(fit: Fit, games: Games) -> Said:
    if not fit.viewer.games:
        return "You have not told what you play", "Вы не указали свои игры"
    if not fit.shared_game_ids:
        return "No game in common", "Нет общих игр"
    title, more = games[fit.shared_game_ids[0]].title, len(fit.shared_game_ids) - 1
    if not more:
        return f"You both play {title}", f"Вы оба играете в {title}"
    return f"You both play {title} and {more} more", f"Вы оба играете в {title} и ещё в {_ru(more, GAMES)}"


def _rating(fit: Fit, games: Games) -> Said:
    if fit.comparison is None:
        return "No ratings to compare", "Нет рейтингов для сравнения"
    title, distance = games[fit.comparison.game_id].title, fit.comparison.distance
    if not distance:
        return f"Equal ratings in {title}", f"Равные рейтинги в {title}"
    points = "1 point" if distance == 1 else f"{distance} points"
    return f"Ratings {points} apart in {title}", f"Разница рейтингов в {title}: {_ru(distance, POINTS)}"


def _roles(fit: Fit, games: Games) -> Said:
    if fit.comparison is None:
        return "No roles to compare", "Нет ролей для сравнения"
    title = games[fit.comparison.game_id].title
    match fit.comparison.roles:
        case Roles.COMPLEMENT:
            return f"Your roles in {title} complement each other", f"Ваши роли в {title} дополняют друг друга"
        case Roles.DUPLICATE:
            return f"You play the same roles in {title}", f"У вас одни и те же роли в {title}"
        case Roles.UNKNOWN:
            return f"Roles in {title} are not told", f"Роли в {title} не указаны"


def _genres(fit: Fit, _: Games) -> Said:
    shared = fit.shared_genres
    if shared is None:
        return "Favourite genres are not told", "Любимые жанры не указаны"
    if not shared:
        return "No genre in common", "Нет общих жанров"
    return "1 genre in common" if shared == 1 else f"{shared} genres in common", _ru(shared, GENRES)


def _schedule(fit: Fit, _: Games) -> Said:
    hours = fit.overlap_hours
    if hours is None:
        return "Hours of play are not told", "Часы игры не указаны"
    if not hours:
        return "No common hours", "Нет общих часов"
    return "1 common hour a week" if hours == 1 else f"{hours} common hours a week", f"{_ru(hours, HOURS)} в неделю"


def _language(fit: Fit, _: Games) -> Said:
    if not fit.viewer.languages or not fit.candidate.languages:
        return "Languages are not told", "Языки не указаны"
    if fit.language is None:
        return "No language in common", "Нет общего языка"
    return f"You both speak {_language_name(fit.language, 'en')}", f"Общий язык: {_language_name(fit.language, 'ru')}"


def _region(fit: Fit, _: Games) -> Said:
    mine, theirs = fit.viewer.region, fit.candidate.region
    if mine is None or theirs is None:
        return "Regions are not told", "Регион не указан"
    said: Mapping[int, Said] = {
        tables.SAME_REGION: ("The same region", "Один регион"),
        tables.NEIGHBOUR: ("Neighbouring regions", "Соседние регионы"),
        tables.TOLERABLE: ("Regions some way apart", "Регионы не рядом, но играть можно"),
        tables.FAR: ("Regions far apart", "Регионы далеко друг от друга"),
    }
    return said[tables.region_value(mine, theirs)]


def _platform(fit: Fit, _: Games) -> Said:
    if not fit.viewer.platforms or not fit.candidate.platforms:
        return "Platforms are not told", "Платформы не указаны"
    if fit.viewer.platforms & fit.candidate.platforms:
        return "A platform in common", "Есть общая платформа"
    return "No platform in common", "Нет общей платформы"


def _play_style(fit: Fit, _: Games) -> Said:
    mine, theirs = fit.viewer.play_style, fit.candidate.play_style
    if mine is None or theirs is None:
        return "Play styles are not told", "Стиль игры не указан"
    if mine is theirs:
        return "The same play style", "Один стиль игры"
    if tables.style_value(mine, theirs):
        return "Similar play styles", "Похожий стиль игры"
    return "Opposite play styles", "Противоположный стиль игры"


def _voice_chat(fit: Fit, _: Games) -> Said:
    mine, theirs = fit.viewer.voice_chat, fit.candidate.voice_chat
    if mine is None or theirs is None:
        return "Voice chat is not told", "Голосовой чат не указан"
    value = tables.voice_value(mine, theirs)
    if mine is theirs:
        return "The same wish for voice chat", "Одно мнение о голосовом чате"
    if value >= tables.GOOD_VOICE:
        return "Wishes for voice chat that go together", "О голосовом чате легко договориться"
    if value:
        return "Different wishes for voice chat", "Разные пожелания к голосовому чату"
    return "Opposite wishes for voice chat", "Противоположные пожелания к голосовому чату"


def _age(fit: Fit, _: Games) -> Said:
    starts = tables.band_starts(fit.as_of)
    mine = tables.age_band(fit.viewer.birth_date, starts)
    theirs = tables.age_band(fit.candidate.birth_date, starts)
    if mine is None or theirs is None:
        return "Ages are not told", "Возраст не указан"
    if mine is theirs:
        return "About the same age", "Примерно один возраст"
    return "Different ages", "Разный возраст"


def _reputation(fit: Fit, _: Games) -> Said:
    reputation = fit.candidate.reputation
    if reputation is None:
        return "No praise yet", "Похвал пока нет"
    hundredths = reputation // THOUSANDTHS_IN_A_HUNDREDTH
    return f"Reputation {hundredths} of 100", f"Репутация {hundredths} из 100"


def _activity(fit: Fit, _: Games) -> Said:
    days = fit.days_since_active
    if not days:
        return "Seen today", "Был в сети сегодня"
    return "Seen yesterday" if days == 1 else f"Seen {days} days ago", f"Был в сети {_ru(days, DAYS)} назад"


SPEAKERS: Mapping[Signal, Callable[[Fit, Games], Said]] = {
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
