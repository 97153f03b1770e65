"""Players as everybody sees them, and the mutation that fills in one's own profile."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import accounts, departure, presence, profiles, week
from gamebuddy.resolvers.matching import FULL
from gamebuddy.resolvers.presence import PresenceStatus
from gamebuddy.resolvers.profiles import GameChoice, PlayedGame, ProfileChanges
from gamebuddy.resolvers.teammates import Relation
from gamebuddy.resolvers.week import Weekday
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import DonePayload, UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.files import USUAL, Size, avatar_url
from gamebuddy.schema.games import Game, GameRank, GameRole, Genre, genres_by_ids
from gamebuddy.schema.games import game as show_game
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.scalars import CountryCode, LanguageTag, Moment, TimeZone, WebAddress

describe_enum(
    db.Role,
    "What an account may do at all.",
    GUEST="Not confirmed yet: may look around and fill in the profile.",
    USER="A player with a confirmed address.",
    MODERATOR="A player who also handles reports.",
    ADMIN="Runs the place.",
)
describe_enum(
    db.Region,
    "Where a player's servers are.",
    EUROPE="Europe without the CIS.",
    CIS="Russia and its neighbours.",
    NORTH_AMERICA="North and Central America.",
    SOUTH_AMERICA="South America.",
    MIDDLE_EAST="The Middle East and Turkey.",
    AFRICA="Africa.",
    SOUTH_ASIA="India and its neighbours.",
    EAST_ASIA="China, Japan, Korea and Taiwan.",
    SOUTHEAST_ASIA="From Myanmar to the Philippines.",
    OCEANIA="Australia, New Zealand and the islands.",
)
describe_enum(
    db.PlayStyle,
    "How serious the play is.",
    CASUAL="For fun.",
    BALANCED="To win, without tears.",
    COMPETITIVE="To climb.",
)
describe_enum(
    db.VoiceChat,
    "Whether a player talks.",
    REQUIRED="Only with voice.",
    PREFERRED="Rather with voice.",
    TEXT_ONLY="Never with voice.",
    ANY="Either way.",
)
describe_enum(
    db.AgeBand,
    "The age as others see it. Those under 18 and adults are never matched with each other.",
    UNDER_18="13 to 17.",
    FROM_18_TO_24="18 to 24.",
    FROM_25_TO_34="25 to 34.",
    FROM_35="35 and older.",
)
describe_enum(
    db.Audience,
    "Who may do or see something.",
    EVERYONE="Every verified user who is not blocked.",
    TEAMMATES="Teammates only.",
    NOBODY="Nobody.",
)
describe_enum(
    Relation,
    "How the viewer stands to a player.",
    name="TeammateRelation",
    NONE="Not at all, as far as the viewer may know.",
    SELF="It is the viewer.",
    REQUEST_SENT="The viewer's request waits for an answer.",
    REQUEST_RECEIVED="The player's request waits for the viewer's answer.",
    TEAMMATES="They are teammates.",
)


describe_enum(
    Weekday,
    "A day of the week.",
    MONDAY="The first day.",
    TUESDAY="The second day.",
    WEDNESDAY="The third day.",
    THURSDAY="The fourth day.",
    FRIDAY="The fifth day.",
    SATURDAY="The sixth day.",
    SUNDAY="The seventh day.",
)

DAYS = tuple(Weekday)
NOBODY = uuid.UUID(int=0)
LONG_AGO = Moment(datetime(1970, 1, 1, tzinfo=UTC))  # nobody came at no time, always the same for caches


@strawberry.type(
    description="A stretch of the week in the player's own time zone. None goes past midnight. "
    "Seen by those who are signed in and see the profile."
)
class WeeklySlot:
    """See the description."""

    weekday: Weekday = strawberry.field(description="The day.")
    start_hour: int = strawberry.field(description="First hour, 0 to 23.")
    end_hour: int = strawberry.field(description="End, 1 to 24; 24 is midnight.")

    @classmethod
    def of(cls, stretch: week.Stretch) -> "WeeklySlot":
        """Show a stretch."""
        return cls(weekday=DAYS[stretch.day], start_hour=stretch.start_hour, end_hour=stretch.end_hour)


@strawberry.type(description="A game in a player's profile. Everybody may see it.")
class PlayerGame:
    """See the description."""

    rating: int = strawberry.field(
        description="In-game rating on one scale for all games, 0 to 3000; 1500 where nothing is known. "
        "Given by the player, or taken from the rank: 500 for the lowest to 2500 for the highest."
    )
    is_favorite: bool = strawberry.field(description="Whether it is one of the player's main games.")
    row: strawberry.Private[PlayedGame]

    @classmethod
    def of(cls, row: PlayedGame) -> "PlayerGame":
        """Show a row."""
        return cls(rating=row.rating, is_favorite=row.is_favorite, row=row)

    @field
    def game(self) -> Game:
        """The game."""
        return Game.of(self.row)

    @field
    async def rank(self, info: Info) -> GameRank | None:
        """Rank on the game's ladder; null when the player named none."""
        row = await info.context.loaders.ranks.load(self.row.rank_id) if self.row.rank_id else None
        return GameRank.of(row) if row else None

    @field
    async def roles(self, info: Info) -> list[GameRole]:
        """What the player plays in it, in the order of the game's roles."""
        if not self.row.role_bits:
            return []
        roles = await info.context.loaders.game_roles.load(self.row.game_id) or ()
        return [GameRole.of(role) for role in roles if self.row.role_bits >> role.position & 1]


@strawberry.type(
    description="What a player tells of himself. Without signing in one sees games, genres, platforms, languages, "
    "region, play style and voice chat; the rest is empty."
)
class Profile(Node):
    """See the description."""

    row: strawberry.Private[db.Profile]
    is_reduced: strawberry.Private[bool]
    region: db.Region | None = strawberry.field(description="Where the player's servers are.")
    languages: list[LanguageTag] = strawberry.field(description="Languages the player speaks, the main one first.")
    platforms: list[db.Platform] = strawberry.field(description="What the player plays on.")
    play_style: db.PlayStyle | None = strawberry.field(description="How serious the play is.")
    voice_chat: db.VoiceChat | None = strawberry.field(description="Whether the player talks.")
    is_looking_for_teammates: bool = strawberry.field(
        description="Only those who are looking are found by teammates()."
    )
    updated_at: Moment = strawberry.field(description="When it was last changed.")

    @classmethod
    def of(cls, row: db.Profile, *, is_reduced: bool) -> "Profile":
        """Show a row, whole or reduced."""
        return cls(
            id=ids.write(Kind.PROFILE, row.account_id),
            row=row,
            is_reduced=is_reduced,
            region=row.region,
            languages=[LanguageTag(language) for language in row.languages],
            platforms=row.platforms,
            play_style=row.play_style,
            voice_chat=row.voice_chat,
            is_looking_for_teammates=row.is_looking_for_teammates,
            updated_at=Moment(row.updated_at),
        )

    @classmethod
    def empty(cls, account_id: uuid.UUID, at: Moment) -> "Profile":
        """Show that there is nothing to tell of an account any more."""
        row = db.Profile(account_id=account_id, is_looking_for_teammates=False)
        row.updated_at = at
        return cls.of(row, is_reduced=False)

    @field
    def bio(self) -> str | None:
        """About the player, at most 500 characters. For signed-in viewers."""
        return None if self.is_reduced else self.row.bio

    @field
    def country(self) -> CountryCode | None:
        """Where the player lives. For signed-in viewers."""
        return None if self.is_reduced or self.row.country is None else CountryCode(self.row.country)

    @field
    def time_zone(self) -> TimeZone | None:
        """Zone that the availability is told in. For signed-in viewers."""
        return None if self.is_reduced or self.row.time_zone is None else TimeZone(self.row.time_zone)

    @field
    def age_band(self) -> db.AgeBand | None:
        """Age, roughly; the birth date itself is shown to nobody. For signed-in viewers."""
        return None if self.is_reduced else profiles.age_band(self.row.birth_date, datetime.now(UTC).date())

    @field
    def availability(self) -> list[WeeklySlot]:
        """When the player plays, from Monday on, in `timeZone`. For signed-in viewers."""
        return [] if self.is_reduced else [WeeklySlot.of(stretch) for stretch in week.stretches_of(self.row.slots)]

    @field
    async def genres(self, info: Info) -> list[Genre]:
        """Kinds of games the player likes."""
        return await genres_by_ids(info, self.row.genre_ids)

    @field
    async def games(self, info: Info) -> list[PlayerGame]:
        """What the player plays, in the player's own order; at most 50."""
        return [PlayerGame.of(row) for row in await info.context.loaders.player_games.load(self.row.account_id) or ()]


describe_enum(
    db.Trait,
    "What a player is praised for.",
    FRIENDLY="Kind, also when a match is lost.",
    SKILLED="Plays well.",
    TEAM_PLAYER="Plays for the team.",
    LEADER="Takes the lead, and others follow.",
    RELIABLE="Comes when it was agreed, and stays.",
    GOOD_COMMUNICATION="Says what others need to know.",
)


@strawberry.type(
    description="How good it is to play with somebody, as those who have done so say. Only praise exists: nobody can "
    "say anything bad. Seen by those who are signed in; empty for others."
)
class Reputation:
    """See the description."""

    score: float | None = strawberry.field(
        description="A careful guess, 0 to 1, of how large a part of the player's teammates would praise: the more of "
        "them do, the surer it is and the higher. People who praise each other count as few voices. Null before the "
        "first praise."
    )
    praise_count: int = strawberry.field(description="How often the player was praised; once a week by each at most.")
    top_traits: list[db.Trait] = strawberry.field(description="What most people praise, at most three.")

    @classmethod
    def of(cls, row: db.Profile) -> "Reputation":
        """Show what a profile keeps."""
        score = row.reputation / FULL if row.reputation is not None else None
        return cls(score=score, praise_count=row.praise_count, top_traits=list(row.top_traits))


NO_REPUTATION = Reputation(score=None, praise_count=0, top_traits=[])


describe_enum(
    PresenceStatus,
    "Whether somebody is here.",
    ONLINE="Connected, and has done something in the last five minutes.",
    AWAY="Connected, and has done nothing for five minutes.",
    OFFLINE="Not connected.",
)


@strawberry.type(
    description="Whether somebody is here. It is never kept, and may come a minute late. Seen by those whom "
    "`whoSeesMyPresence` lets."
)
class Presence:
    """See the description."""

    status: PresenceStatus = strawberry.field(description="Here, away or not.")
    last_seen_at: Moment | None = strawberry.field(description="When he was last seen, to the minute.")
    row: strawberry.Private[presence.Presence]

    @classmethod
    def of(cls, row: presence.Presence) -> "Presence":
        """Show what is known."""
        return cls(status=row.status, last_seen_at=Moment(row.last_seen_at) if row.last_seen_at else None, row=row)

    @field
    async def playing(self, info: Info) -> Game | None:
        """What he says he is playing: see setPlaying."""
        return await show_game(info, self.row.game_id)


@strawberry.type(description="What everyone may see of a player. Private facts stand on Viewer and nowhere else.")
class User(Node):
    """See the description."""

    username: str = strawberry.field(description="Unique name, `[a-z0-9_]{3,32}`.")
    display_name: str = strawberry.field(description="Name as shown, 1 to 40 characters; not unique.")
    role: db.Role = strawberry.field(description="What the account may do.")
    created_at: Moment = strawberry.field(description="When the account was made.")
    row_id: strawberry.Private[uuid.UUID]
    is_deleted: strawberry.Private[bool]

    @classmethod
    def of(cls, row: db.Account) -> "User":
        """Show a row."""
        return cls(
            id=ids.write(Kind.USER, row.id),
            username=row.username,
            display_name=row.display_name,
            role=row.role,
            created_at=Moment(row.created_at),
            row_id=row.id,
            is_deleted=row.status is db.AccountStatus.DELETED,
        )

    @classmethod
    def nobody(cls) -> "User":
        """Show that there was somebody whose account is gone, or who cannot be seen: the two look the same."""
        return cls(
            id=ids.write(Kind.USER, NOBODY),
            username="deleted_account",
            display_name=departure.NAME,
            role=db.Role.USER,
            created_at=LONG_AGO,
            row_id=NOBODY,
            is_deleted=True,
        )

    @field
    async def profile(self, info: Info) -> Profile:
        """What the player tells of himself."""
        if self.is_deleted:
            return Profile.empty(self.row_id, self.created_at)
        row = cast("db.Profile", await info.context.loaders.profiles.load(self.row_id))
        return Profile.of(row, is_reduced=not info.context.is_signed_in)

    @field
    async def avatar_url(self, info: Info, size: Size = USUAL) -> WebAddress | None:
        """A square picture, WebP; null where there is none. For signed-in viewers.

        The link works for an hour or two.
        """
        return await self.show_avatar(info, size)

    async def show_avatar(self, info: Info, size: int | None) -> WebAddress | None:
        """Make the link of the picture."""
        if self.is_deleted or not info.context.is_signed_in:
            return None
        row = cast("db.Profile", await info.context.loaders.profiles.load(self.row_id))
        return await avatar_url(info, row.avatar_id, size)

    @field
    async def reputation(self, info: Info) -> Reputation:
        """What teammates say, present and past."""
        if self.is_deleted or not info.context.is_signed_in:
            return NO_REPUTATION
        return Reputation.of(cast("db.Profile", await info.context.loaders.profiles.load(self.row_id)))

    @field
    async def presence(self, info: Info) -> Presence | None:
        """Whether he is here; null for whom he does not let know: see `whoSeesMyPresence`."""
        found = await info.context.loaders.presences.load(self.row_id)
        return Presence.of(found) if found else None

    @field
    async def viewer_relation(self, info: Info) -> Relation:
        """How the viewer stands to the player; NONE without signing in."""
        return await info.context.loaders.relations.load(self.row_id) or Relation.NONE

    @field
    async def viewer_note(self, info: Info) -> str | None:
        """What the viewer has written down about the player; nobody else sees it."""
        return await info.context.loaders.notes.load(self.row_id)

    @field
    async def viewer_has_blocked(self, info: Info) -> bool:
        """Whether the viewer has blocked the player. Nobody is told who blocked him."""
        return bool(await info.context.loaders.blocks.load(self.row_id))


@strawberry.input(description="One way to name a player: exactly one of the fields.", one_of=True)
class UserBy:
    """See the description."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="His id.", default=None)
    username: strawberry.Maybe[str] = strawberry.field(description="His user name, in any case.", default=None)


@strawberry.input(description="A stretch of the week in the player's own time zone.")
class WeeklySlotInput:
    """See the description."""

    weekday: Weekday = strawberry.field(description="The day.")
    start_hour: int = strawberry.field(description="First hour, 0 to 23.")
    end_hour: int = strawberry.field(
        description="End, 1 to 24 and after the start; 24 is midnight. Divide what goes past midnight."
    )


@strawberry.input(description="A game the player plays.")
class PlayerGameInput:
    """See the description."""

    game_id: strawberry.ID = strawberry.field(description="The game; each at most once.")
    rank_id: strawberry.ID | None = strawberry.field(description="A rank of this game.", default=None)
    rating: int | None = strawberry.field(
        description="0 to 3000 on the one scale of all games; absent: taken from the rank, else 1500.", default=None
    )
    role_ids: list[strawberry.ID] | None = strawberry.field(description="Roles of this game.", default=None)
    is_favorite: bool | None = strawberry.field(description="Whether it is a main game; absent: no.", default=None)

    def choice(self) -> GameChoice:
        """Read the ids."""
        return GameChoice(
            game_id=ids.read(Kind.GAME, self.game_id),
            rank_id=ids.read(Kind.GAME_RANK, self.rank_id) if self.rank_id is not None else None,
            rating=self.rating,
            role_ids=ids.read_all(Kind.GAME_ROLE, self.role_ids or []),
            is_favorite=bool(self.is_favorite),
        )


@strawberry.input(description="An absent field leaves the value as it is; null clears it. Lists are replaced whole.")
class UpdateProfileInput:
    """See the description."""

    display_name: strawberry.Maybe[str | None] = strawberry.field(
        description="1 to 40 characters; cannot be cleared. A mute keeps it as it is.", default=None
    )
    bio: strawberry.Maybe[str | None] = strawberry.field(
        description="At most 500 characters. A mute keeps it as it is.", default=None
    )
    birth_date: strawberry.Maybe[str | None] = strawberry.field(
        description="Like `2001-05-31`; at least 13 years ago. Shown to nobody: others see the age band.", default=None
    )
    country: strawberry.Maybe[CountryCode | None] = strawberry.field(description="Where you live.", default=None)
    region: strawberry.Maybe[db.Region | None] = strawberry.field(description="Where your servers are.", default=None)
    time_zone: strawberry.Maybe[TimeZone | None] = strawberry.field(
        description="Zone of the availability; without it the availability counts for nothing.", default=None
    )
    languages: strawberry.Maybe[list[LanguageTag] | None] = strawberry.field(
        description="Languages you speak, the main one first; at most 20.", default=None
    )
    platforms: strawberry.Maybe[list[db.Platform] | None] = strawberry.field(
        description="What you play on.", default=None
    )
    genre_ids: strawberry.Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Kinds of games you like; at most 60.", default=None
    )
    games: strawberry.Maybe[list[PlayerGameInput] | None] = strawberry.field(
        description="What you play, in your order; at most 50.", default=None
    )
    play_style: strawberry.Maybe[db.PlayStyle | None] = strawberry.field(
        description="How serious your play is.", default=None
    )
    voice_chat: strawberry.Maybe[db.VoiceChat | None] = strawberry.field(description="Whether you talk.", default=None)
    availability: strawberry.Maybe[list[WeeklySlotInput] | None] = strawberry.field(
        description="When you play, in your time zone; overlapping stretches are joined.", default=None
    )
    is_looking_for_teammates: strawberry.Maybe[bool | None] = strawberry.field(
        description="Whether teammates() finds you, from now on; cannot be cleared.", default=None
    )
    who_may_write_to_me: strawberry.Maybe[db.Audience | None] = strawberry.field(
        description="Who may open a direct chat with you; cannot be cleared.", default=None
    )
    who_sees_my_presence: strawberry.Maybe[db.Audience | None] = strawberry.field(
        description="Who sees whether you are online; cannot be cleared.", default=None
    )

    def changes(self) -> ProfileChanges:
        """Tell what is named, in the terms of the domain."""
        given: dict[str, Any] = {
            name: value.value for name, value in vars(self).items() if isinstance(value, strawberry.Some)
        }
        if given.get("genre_ids"):
            given["genre_ids"] = ids.read_all(Kind.GENRE, given["genre_ids"])
        if given.get("games"):
            given["games"] = [item.choice() for item in given["games"]]
        if given.get("availability"):
            given["availability"] = [
                week.Stretch(DAYS.index(slot.weekday), slot.start_hour, slot.end_hour) for slot in given["availability"]
            ]
        return cast("ProfileChanges", given)


@strawberry.input(description="What the viewer is playing.")
class SetPlayingInput:
    """See the description."""

    game_id: strawberry.ID | None = strawberry.field(
        description="A game of the catalogue; null for none.", default=None
    )


@strawberry.input(description="The picture to show beside one's own name.")
class SetAvatarInput:
    """See the description."""

    upload_id: strawberry.ID | None = strawberry.field(
        description="From createUpload; null removes the avatar.", default=None
    )


@strawberry.type(description="The player after the change.")
class ProfilePayload:
    """See the description."""

    user: User | None = strawberry.field(description="The player; null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


async def user(info: Info, account_id: uuid.UUID | None) -> User | None:
    """Show somebody; null for whoever is hidden from the viewer, and for whoever has deleted the account."""
    row = await info.context.loaders.accounts.load(account_id) if account_id else None
    return User.of(row) if row else None


async def signer(info: Info, account_id: uuid.UUID | None) -> User:
    """Show who is behind something that has to be somebody's; nobody where `user` is null.

    Whoever is blocked sees what he would see of a deleted account.
    """
    return await user(info, account_id) or User.nobody()


async def known_user(info: Info, account_id: uuid.UUID | None) -> User | None:
    """Show who is behind something as `user` does, and to the staff also those who have blocked it."""
    row = await info.context.loaders.known.load(account_id) if account_id else None
    return User.of(row) if row else None


@strawberry.type
class PlayerQueries:
    """Root fields that read players."""

    @query(Right.PUBLIC)
    async def user(
        self, door: Reading, by: Annotated[UserBy, strawberry.argument(description="His id or his user name.")]
    ) -> User | None:
        """One player; null when there is none, or none that the viewer may see."""
        row = await accounts.find(
            door.session,
            door.caller,
            account_id=ids.read(Kind.USER, by.id.value) if by.id is not None else None,
            username=by.username.value if by.username is not None else None,
        )
        return User.of(row) if row else None


@strawberry.type
class PlayerMutations:
    """Root fields that change the viewer's own profile."""

    @mutation(Right.EDIT_PROFILE)
    async def update_profile(self, door: Writing, input: UpdateProfileInput) -> ProfilePayload:
        """Change what is named in one's own profile and nothing else. Found under the new values at once."""
        account = await profiles.update_profile(door.session, door.viewer, input.changes(), words=door.services.words)
        return ProfilePayload(user=User.of(account))

    @mutation(Right.EDIT_PROFILE)
    async def set_playing(self, door: Writing, input: SetPlayingInput) -> DonePayload:
        """Say what you are playing, for as long as you are connected."""
        game_id = ids.read(Kind.GAME, input.game_id) if input.game_id is not None else None
        await presence.set_playing(door.session, door.viewer, game_id=game_id)
        return DonePayload(is_done=True)

    @mutation(Right.UPLOAD)
    async def set_avatar(self, door: Writing, input: SetAvatarInput) -> ProfilePayload:
        """Show a picture beside one's own name, or none."""
        upload_id = ids.read(Kind.UPLOAD, input.upload_id) if input.upload_id is not None else None
        account = await profiles.set_avatar(door.session, door.viewer, files=door.services.files, upload_id=upload_id)
        return ProfilePayload(user=User.of(account))
