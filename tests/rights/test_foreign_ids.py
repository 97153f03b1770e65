"""Every id that an operation takes: what is foreign is unknown, and what is no id is bad input."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gamebuddy import db
from gamebuddy.db import Role
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.api import Api
from tests.factories import Factory, Player
from tests.rights.documents import TEXT, Place, document, nobody, places, send

# What everybody may see, so that its id is never foreign: a right one and a random one have different answers.
PUBLIC = {
    Kind.GENRE: "the catalogue",
    Kind.GAME: "the catalogue",
    Kind.GAME_RANK: "the catalogue",
    Kind.GAME_ROLE: "the catalogue",
}
# Whoever may see or use what is foreign to everybody else, by kind or by operation.
SEEN_BY = {
    Kind.SANCTION: ({"moderator", "admin"}, "the staff reads sanctions"),
    Kind.APPEAL: ({"moderator", "admin"}, "the staff answers appeals"),
    "a report of others": ({"moderator", "admin"}, "the staff handles reports"),
    Kind.ACCOUNT: ({"admin"}, "an administrator reads accounts, and each look is written down"),
    Kind.AUDIT_ENTRY: ({"admin"}, "an administrator reads the whole audit log"),
    "Query.auditLog": ({"admin"}, "an administrator reads the whole audit log, whoever it is about"),
    "Mutation.sanctionUser": ({"moderator", "admin"}, "the staff acts also on those who have blocked it"),
    "Mutation.liftSanction": ({"moderator", "admin"}, "the staff acts also on those who have blocked it"),
    "Mutation.addAccountNote": ({"moderator", "admin"}, "the staff acts also on those who have blocked it"),
    "Mutation.setUserRole": ({"admin"}, "the staff acts also on those who have blocked it"),
    Kind.WORD_RULE: ({"moderator", "admin"}, "the staff reads the rules for words"),
    "a blocker": ({"anonymous"}, "nobody can have blocked one who is not signed in"),
}
PURPOSES = {"Mutation.sendMessage": db.UploadPurpose.ATTACHMENT}
HIDING = [place for place in places() if not set(place.kinds) <= PUBLIC.keys()]
VIEWERS = ("anonymous", "guest", "user", "moderator", "admin")
NO_IDS = (
    "", " ", "-1", "null", "usr", "usr_", "_", "xxx_AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA",
    *(kind + rest for kind in ("usr", "cht", "gam") for rest in ("_AAAAAAAAAAAAAAAAAAAAAB", "_AAAAAAAAAAAAAAAAAAAAA=")),
    "USR_AAAAAAAAAAAAAAAAAAAAAA", " usr_AAAAAAAAAAAAAAAAAAAAAA", "usr_AAAAAAAAAAAAAAAAAAAAAA\n",
    "7f000001-0000-4000-8000-000000000000", "' OR 1=1--", "ключ", "\0", "usr_" + "A" * 5_000,
    -1, 2**63 - 1, 1.5, True, [[]], {},
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """What there is beside the viewer: things of others, by what they are, and what the viewer may use."""

    foreign: dict[Kind, dict[str, str]]
    usable: dict[Kind, str]

    def ids_of(self, kind: Kind) -> str:
        """Give something that can be used, so that nothing else is wrong with an operation than the foreign id."""
        return self.usable.get(kind) or nobody(kind)


async def somebody(make: Factory, name: str) -> Player:
    """Make one who looks; an anonymous one has an account, too, that he is not signed in to."""
    if name == "guest":
        return await make.player(name, role=Role.GUEST, email=None, email_key=None, email_verified_at=None)
    player = await make.player(name, role=Role.USER if name == "anonymous" else Role[name.upper()])
    return Player(make.api, player.account_id, player.session_id, name) if name == "anonymous" else player


async def world(make: Factory, viewer: Player) -> World:
    """Make things of others, and some that the viewer may use."""
    one, other, friend = await make.player("one"), await make.player("other"), await make.player("friend")
    claim = await make.player("claim", role=Role.GUEST, email_verified_at=None)
    gone = await make.player("gone", status=db.AccountStatus.DELETED)
    await make.block(one, viewer)
    group, direct = await make.group(one, other), await make.direct_chat(other, one)
    message, whisper = await make.send(one, group, TEXT), await make.send(other, direct, TEXT)
    request = db.TeammateRequest(sender_id=one.account_id, receiver_id=other.account_id)
    uploads = [checked_upload(other, purpose) for purpose in db.UploadPurpose]
    file = db.Attachment(message_id=ids.read(Kind.MESSAGE, message["id"]), upload_id=uploads[1].id, position=0)
    sanction = db.Sanction(account_id=other.account_id, kind=db.SanctionKind.MUTE, reason="loud")
    appeal = db.Appeal(sanction_id=sanction.id, text="not me")
    reports = {
        "a report of others": report_of(one, other),
        "a report of the viewer": report_of(other, viewer),
    }
    link = db.InviteLink(chat_id=ids.read(Kind.CHAT, group), created_by_id=other.account_id, code="way of others")
    # A chat that the viewer has read before and is in no more.
    left = await make.group(friend, viewer, title="Left")
    past = await make.send(friend, left, TEXT)
    async with make.services.database.write() as session:
        entries = [
            db.AuditEntry(actor_id=who.account_id, action=db.AuditAction.CHANGE_PASSWORD) for who in (one, other)
        ]
        rule = word_rule()
        session.add_all([rule, request, sanction, link, *reports.values(), *uploads, *entries])
        await session.flush()
        session.add_all([file, appeal])
        row = await session.get_one(db.ChatMember, (ids.read(Kind.CHAT, left), viewer.account_id))
        await session.delete(row)
    people = {"a blocker": one, "a claim": claim, "a deleted one": gone}
    foreign: dict[Kind, dict[str, str]] = {
        Kind.USER: {name: who.id for name, who in people.items()},
        Kind.PROFILE: {name: ids.write(Kind.PROFILE, who.account_id) for name, who in people.items()},
        Kind.ACCOUNT: {name: ids.write(Kind.ACCOUNT, who.account_id) for name, who in people.items()},
        Kind.SESSION: {"one of others": ids.write(Kind.SESSION, other.session_id)},
        Kind.CHAT: {"a group": group, "a direct chat": direct, "one that was left": left},
        Kind.MESSAGE: {"in a group": message["id"], "in a direct chat": whisper["id"], "in one left": past["id"]},
        Kind.TEAMMATE_REQUEST: {"between others": ids.write(Kind.TEAMMATE_REQUEST, request.id)},
        Kind.SANCTION: {"of others": ids.write(Kind.SANCTION, sanction.id)},
        Kind.REPORT: {what: ids.write(Kind.REPORT, row.id) for what, row in reports.items()},
        Kind.APPEAL: {"of others": ids.write(Kind.APPEAL, appeal.id)},
        Kind.AUDIT_ENTRY: {"about others": ids.write(Kind.AUDIT_ENTRY, entries[1].id)},
        Kind.UPLOAD: {row.purpose.value: ids.write(Kind.UPLOAD, row.id) for row in uploads},
        Kind.ATTACHMENT: {"in a group": ids.write(Kind.ATTACHMENT, file.id)},
        Kind.INVITE_LINK: {"of others": ids.write(Kind.INVITE_LINK, link.id)},
        Kind.WORD_RULE: {"of the staff": ids.write(Kind.WORD_RULE, rule.id)},
        Kind.EVENT: {"the first one": ids.write(Kind.EVENT, UUID(int=1))},
    }
    return World(foreign, await usable(make, viewer))


async def usable(make: Factory, viewer: Player) -> dict[Kind, str]:
    """Make what the viewer may use: a teammate, a group with a message, a game."""
    mate = await make.player("mate")
    group = await make.group(mate, viewer)
    link = db.InviteLink(chat_id=ids.read(Kind.CHAT, group), created_by_id=mate.account_id, code="way in")
    async with make.services.database.write() as session:
        session.add(link)
        for member, role in ((viewer, db.MemberRole.OWNER), (mate, db.MemberRole.MEMBER)):
            row = await session.get_one(db.ChatMember, (link.chat_id, member.account_id))
            row.role = role
    message = await make.send(mate, group, TEXT)
    upload = checked_upload(mate, db.UploadPurpose.ATTACHMENT)
    file = db.Attachment(message_id=ids.read(Kind.MESSAGE, message["id"]), upload_id=upload.id, position=0)
    async with make.services.database.write() as session:
        session.add(upload)
        await session.flush()
        session.add(file)
    return {
        Kind.USER: mate.id,
        Kind.ATTACHMENT: ids.write(Kind.ATTACHMENT, file.id),
        Kind.CHAT: group,
        Kind.INVITE_LINK: ids.write(Kind.INVITE_LINK, link.id),
        Kind.MESSAGE: message["id"],
        Kind.GAME: ids.write(Kind.GAME, await make.game_id("valorant")),
    }


def report_of(reporter: Player, reported: Player) -> db.Report:
    """Make a report of a player."""
    return db.Report(
        subject=db.ReportSubject.USER,
        reporter_id=reporter.account_id,
        reported_id=reported.account_id,
        reason=db.ReportReason.SPAM,
    )


def word_rule() -> db.WordRule:
    """Make a rule that no filter has read yet."""
    effect, match = db.WordEffect.MASK, db.WordMatch.WHOLE_WORDS
    return db.WordRule(phrase="darn", reading="darn", effect=effect, match=match)


def checked_upload(of: Player, purpose: db.UploadPurpose) -> db.Upload:
    """Make an upload that may be used."""
    row = db.Upload(account_id=of.account_id, purpose=purpose, file_name="a.png", media_type="image/png", byte_size=10)
    row.checked_at = datetime.now(UTC)
    return row


async def own(make: Factory, viewer: Player, place: Place) -> dict[Kind, str]:
    """Make what an administrator may see besides: his own, and what the staff is shown."""
    fan = await make.player("fan")
    sender, receiver = fan, viewer
    if place.operation == "Mutation.cancelTeammateRequest":  # who takes a request back has sent it
        sender, receiver = viewer, fan
    request = db.TeammateRequest(sender_id=sender.account_id, receiver_id=receiver.account_id)
    sanction = db.Sanction(account_id=fan.account_id, kind=db.SanctionKind.MUTE, reason="loud")
    appeal = db.Appeal(sanction_id=sanction.id, text="not me")
    report = report_of(await make.player("reporter"), fan)
    upload = checked_upload(viewer, PURPOSES.get(place.operation, db.UploadPurpose.AVATAR))
    note = db.AccountNote(account_id=fan.account_id, author_id=None, text="loud")
    entry = db.AuditEntry(actor_id=fan.account_id, target_id=fan.account_id, action=db.AuditAction.CHANGE_PASSWORD)
    async with make.services.database.write() as session:
        rule = word_rule()
        session.add_all([rule, request, sanction, note, report, upload, entry])
        await session.flush()
        session.add(appeal)
    seen: dict[Kind, str] = {
        Kind.UPLOAD: ids.write(Kind.UPLOAD, upload.id),
        Kind.WORD_RULE: ids.write(Kind.WORD_RULE, rule.id),
        Kind.PROFILE: ids.write(Kind.PROFILE, fan.account_id),
        Kind.ACCOUNT: ids.write(Kind.ACCOUNT, fan.account_id),
        Kind.SESSION: ids.write(Kind.SESSION, viewer.session_id),
        Kind.TEAMMATE_REQUEST: ids.write(Kind.TEAMMATE_REQUEST, request.id),
        Kind.SANCTION: ids.write(Kind.SANCTION, sanction.id),
        Kind.AUDIT_ENTRY: ids.write(Kind.AUDIT_ENTRY, entry.id),
        Kind.REPORT: ids.write(Kind.REPORT, report.id),
        Kind.APPEAL: ids.write(Kind.APPEAL, appeal.id),
    }
    if place.operation in {
        "Query.accountNotes",
        "Query.auditLog",
        "Mutation.liftSanction",
    }:  # those that are about what fan has
        seen[Kind.USER] = fan.id
    return seen


def is_seen(viewer: str, place: Place, kind: Kind, what: str) -> bool:
    """Tell whether the table above makes an exception."""
    return any(viewer in SEEN_BY[key][0] for key in (kind, place.operation, what) if key in SEEN_BY)


async def answer(api: Api, place: Place, given: str, some: World) -> str:
    """Send an operation with an id in one place; gives the answer with everything in it, the id itself aside."""
    text, variables = document(place.operation, place=place, given=given, ids_of=some.ids_of, depth=2)
    body = json.dumps(await send(api, place.operation, text, variables), sort_keys=True)
    assert "INTERNAL_SERVER_ERROR" not in body, (str(place), body)
    return body.replace(given, "the id")


@pytest.mark.parametrize("name", VIEWERS)
async def test_what_is_foreign_is_answered_as_what_does_not_exist(make: Factory, name: str) -> None:
    viewer = await somebody(make, name)
    some = await world(make, viewer)
    told = []
    for place in places():
        for kind in place.kinds:
            hidden = {
                what: given
                for what, given in some.foreign.get(kind, {}).items()
                if not is_seen(name, place, kind, what)
            }
            unknown = await answer(viewer.api, place, nobody(kind), some) if hidden else None
            for what, given in hidden.items():
                known = await answer(viewer.api, place, given, some)
                if known != unknown:
                    told.append(f"{place}, {kind.name}, {what}: {known} instead of {unknown}")
    assert told == []


@pytest.mark.parametrize("name", VIEWERS)
async def test_nodes_that_are_foreign_are_null(make: Factory, name: str) -> None:
    viewer = await somebody(make, name)
    some = await world(make, viewer)
    place = Place("Query.nodes", ("ids",))
    hidden = [
        given
        for kind, found in some.foreign.items()
        for what, given in found.items()
        if not is_seen(name, place, kind, what)
    ]
    assert len(hidden) > 10
    found = await viewer.api("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=hidden)
    assert found == {"nodes": [None] * len(hidden)}
    for given in hidden:
        assert await viewer.api("query($id: ID!) { node(id: $id) { __typename id } }", id=given) == {"node": None}


async def test_every_kind_of_id_is_foreign_or_public(make: Factory) -> None:
    some = await world(make, await make.player())
    missing = set(Kind) - PUBLIC.keys() - some.foreign.keys()
    assert not missing, f"let world() in {__name__} make a foreign {missing}, or say in PUBLIC why there is none"


@pytest.mark.parametrize("place", HIDING, ids=str)
async def test_what_may_be_seen_is_answered_otherwise(make: Factory, place: Place) -> None:
    # Without this the comparison above would be content with operations that never look at the id. Events are read as
    # streams only, uploads not at all.
    no_nodes = {Kind.EVENT, Kind.UPLOAD} if place.operation in {"Query.node", "Query.nodes"} else {Kind.EVENT}
    viewer = await somebody(make, "admin")
    some, seen = World({}, await usable(make, viewer)), await own(make, viewer, place)
    for kind in set(place.kinds) - PUBLIC.keys() - no_nodes:
        unknown = await answer(viewer.api, place, nobody(kind), some)
        assert await answer(viewer.api, place, seen.get(kind) or some.usable[kind], some) != unknown, kind.name


async def codes(api: Api, place: Place, given: object) -> set[str]:
    """Send an operation with anything at all in the place of an id."""
    body = await send(api, place.operation, *document(place.operation, place=place, given=given))
    return {error["extensions"]["code"] for error in body.get("errors", ())}


@pytest.mark.parametrize("given", NO_IDS, ids=lambda given: repr(given)[:30])
async def test_what_is_no_id_is_bad_input(make: Factory, given: object) -> None:
    admin = await make.player(role=Role.ADMIN)  # whom no right keeps from anything
    found = {str(place): await codes(admin.api, place, given) for place in places()}
    assert found == {str(place): {"BAD_USER_INPUT"} for place in places()}


@pytest.mark.parametrize("kind", Kind)
async def test_the_id_of_something_else_is_bad_input(make: Factory, kind: Kind) -> None:
    admin = await make.player(role=Role.ADMIN)
    others = [place for place in places() if kind not in place.kinds]
    assert others
    found = {str(place): await codes(admin.api, place, nobody(kind)) for place in others}
    assert found == {str(place): {"BAD_USER_INPUT"} for place in others}


async def test_an_id_of_a_megabyte_is_too_large_a_body(make: Factory) -> None:
    admin = await make.player(role=Role.ADMIN)
    for place in places():
        if not place.operation.startswith("Subscription."):
            text, variables = document(place.operation, place=place, given="usr_" + "A" * 1_000_000)
            assert (await admin.api.post(text, variables)).status_code == 413, place
