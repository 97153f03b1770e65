"""What clients of the last release can count on."""

from pathlib import Path

from graphql import GraphQLSchema, build_schema, find_breaking_changes

from gamebuddy.schema import root

RELEASED = Path(__file__).parent / "released.graphql"
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def unlisted(old: GraphQLSchema, new: GraphQLSchema, changelog: str) -> list[str]:
    """Give the breaking changes that the changelog does not tell of in what is not yet released."""
    unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## ")[0]
    told = " ".join(unreleased.partition("### Breaking")[2].partition("\n### ")[0].split())
    return [change.description for change in find_breaking_changes(old, new) if change.description not in told]


def test_nothing_breaks_the_clients_of_the_last_release_untold() -> None:
    old = build_schema(RELEASED.read_text(encoding="utf-8"))
    broken = unlisted(old, build_schema(root.sdl()), CHANGELOG.read_text(encoding="utf-8"))
    assert broken == [], "keep it and deprecate it, or list it in these words under `### Breaking` in CHANGELOG.md"


def test_what_is_taken_away_or_demanded_is_found_unless_it_is_listed() -> None:
    old = build_schema("type Query { a: Int! b(x: Int): Int } enum E { ONE TWO }")
    new = build_schema("type Query { a: Int b(x: Int!): Int } enum E { ONE }")
    grown = build_schema("type Query { a: Int! b(x: Int, y: Int): Int c: Int } enum E { ONE TWO THREE }")
    assert unlisted(old, grown, "") == []
    found = unlisted(old, new, "")
    assert len(found) == 3
    listed = "\n- ".join(found)
    assert unlisted(old, new, f"## [Unreleased]\n\n### Breaking\n\n- {listed}\n\n### Added\n\n## [1.0.0]\n") == []
    assert unlisted(old, new, f"## [Unreleased]\n\n### Added\n\n- {listed}\n") == found
    assert unlisted(old, new, f"## [Unreleased]\n\n## [1.0.0]\n\n### Breaking\n\n- {listed}\n") == found
