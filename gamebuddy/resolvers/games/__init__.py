"""The catalogue: what people play, and who keeps it in order."""

from gamebuddy.resolvers.games.loading import load_catalogue
from gamebuddy.resolvers.games.merging import merge_games
from gamebuddy.resolvers.games.reading import (
    Place,
    all_genres,
    by_ids,
    find_game,
    find_games,
    genres_by_ids,
    place_of,
    ranks_by_game_ids,
    ranks_by_ids,
    roles_by_game_ids,
    roles_by_ids,
)
from gamebuddy.resolvers.games.saving import GameFacts, save_game, save_genre

__all__ = [
    "GameFacts",
    "Place",
    "all_genres",
    "by_ids",
    "find_game",
    "find_games",
    "genres_by_ids",
    "load_catalogue",
    "merge_games",
    "place_of",
    "ranks_by_game_ids",
    "ranks_by_ids",
    "roles_by_game_ids",
    "roles_by_ids",
    "save_game",
    "save_genre",
]
