"""Whoever is blocked sees nothing of the blocker: a case for every field that could show somebody."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.api import Json
from tests.factories import Factory, Player
from tests.rights.documents import SCHEMA

ROOT = Path(__file__).parent.parent.parent
GUARDED = frozenset({"User", "Message", "Chat", "TeammateRequest"})
PASSWORD = "correct horse 7"

USER = """fragment user on User { id username displayName avatarUrl viewerRelation viewerNote viewerHasBlocked
  presence { status } profile { id bio } reputation { score } }"""
MESSAGE = """fragment message on Message { id chat { id } author { ...user } forwardedFrom { ...user }
  mentions { ...user } replyTo { author { ...user } } reactions { emoji count } }"""
CHAT = """fragment chat on Chat { title avatarUrl lastMessage { ...message text } pinnedMessages { ...message }
  members(first: 5) { nodes { user { ...user } invitedBy { ...user } } }
  messages(last: 20) { edges { node { id } } nodes { ...message } }
  inviteLinks { createdBy { ...user } } viewerCan(action: WRITE) { isAllowed reason } }"""
NAME = "fragment name on User { id username displayName }"
BRIEF = "fragment brief on Message { id author { ...name } }"
REQUEST = "fragment request on TeammateRequest { sender { ...user } receiver { ...user } }"

# What the blocked one asks; every field that is selected here has its case.
CASES: Mapping[str, str] = {
    "the blocker by id": "query($blocker: ID!) { user(by: {id: $blocker}) { ...user } node(id: $blocker) { id }"
    " nodes(ids: [$blocker]) { id } match(userId: $blocker) { score } }",
    "the blocker by name": 'query { user(by: {username: "secretive"}) { ...user } '
    'users(search: "secretive", first: 3) { edges { node { id } } nodes { ...user } } }',
    "search": "{ teammates(first: 10) { edges { node { id } } nodes { ...user } } }",
    "lists": """{ viewer { user { ...user }
      teammates(first: 5) { edges { node { id } } nodes { ...user } } blockedUsers(first: 5) { nodes { ...user } }
      incoming: teammateRequests(direction: INCOMING, first: 5) { edges { node { id } } nodes { ...request } }
      outgoing: teammateRequests(direction: OUTGOING, first: 5) { edges { node { id } } nodes { ...request } }
      chats(first: 3) { edges { node { id } } nodes { title lastMessage { text author { ...user } } } } } }""",
    "the chats of both": "query($direct: ID!, $group: ID!) { direct: chat(id: $direct) { ...chat }"
    " group: chat(id: $group) { ...chat } }",
    "what the blocker wrote": "query($message: ID!, $blocker: ID!) { message(id: $message) { ...message }"
    ' searchMessages(text: "needle", authorId: $blocker, first: 5) { edges { node { id } } nodes { ...message } } }',
    "what has happened": """query($place: Cursor!) { events(after: $place, first: 50) { events { __typename
      ... on MessageSent { chat { id } message { ...brief } }
      ... on MessageEdited { chat { id } message { ...brief } }
      ... on MessageDeleted { chat { id } message { ...brief } }
      ... on MessagePinned { chat { id } message { ...brief } }
      ... on ReactionChanged { chat { id } message { ...brief } user { ...name } }
      ... on MemberJoined { chat { id } user { ...name } by { ...name } }
      ... on MemberLeft { chat { id } user { ...name } by { ...name } }
      ... on MemberRoleChanged { chat { id } user { ...name } }
      ... on ChatUpdated { chat { id } }
      ... on MessagesRead { chat { id } user { ...name } }
      ... on TeammateRequestChanged { request { sender { ...name } receiver { ...name } } } } } }""",
    "asking the blocker": "mutation($blocker: ID!) { sendTeammateRequest(input: {userId: $blocker})"
    " { request { ...request } userErrors { code message } } }",
    "blocking back": "mutation($blocker: ID!) { blockUser(input: {userId: $blocker})"
    " { user { ...user } userErrors { code message } } }",
    "a message of the blocker": 'mutation($message: ID!) { setReaction(input: {messageId: $message, emoji: "👍",'
    " isOn: true}) { message { ...message } userErrors { code message } } }",
    "the direct chat again": "mutation($blocker: ID!) { openDirectChat(input: {userId: $blocker})"
    " { chat { ...chat } userErrors { code message } } }",
    "one's own profile": 'mutation { updateProfile(input: {bio: "hi"}) { user { ...user } userErrors { code } } }',
    "reporting what the blocker wrote": """mutation($message: ID!) {
      report(input: {subject: {messageId: $message}, reason: SPAM}) {
        report { reportedUser { ...user } reporter { ...user } assignee { ...user } } userErrors { code } } }""",
}
# What cannot be asked for in a document of one's own, or only by the staff, has its case there.
ELSEWHERE: Mapping[str, str] = {
    "Typing.chat": "tests/events/test_passing.py::test_strangers_removed_members_and_the_blocked_hear_nothing",
    "Typing.user": "tests/events/test_passing.py::test_strangers_removed_members_and_the_blocked_hear_nothing",
    "PresenceChanged.user": "tests/events/test_passing.py::test_the_blocked_see_nothing",
    "AccessRevoked.chat": "tests/events/test_streams.py::test_who_leaves_is_told_so_and_hears_no_more",
    "EvidenceMessage.author": "tests/moderation/test_report.py::test_the_staff_sees_also_whoever_has_blocked_it",
    "Appeal.answeredBy": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
    "Account.user": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
    "AccountNote.author": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
    "Sanction.user": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
    "Sanction.by": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
    "AuditEntry.actor": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
    "AuditEntry.target": "tests/rights/test_block_matrix.py::test_nobody_hides_from_the_staff",
}
# What is asked of a direct chat whose other side is gone, in whatever way.
AFTERWARDS = """query($other: ID!, $chat: ID!) {
  chat(id: $chat) { title avatarUrl memberCount viewerUnreadCount members { nodes { lastReadSeq } }
    messages(last: 20) { nodes { kind text author { ...nameless } forwardedFrom { ...nameless }
      replyTo { author { ...nameless } } mentions { id } reactions { emoji count viewerHasReacted } } }
    viewerCan(action: WRITE) { isAllowed reason } }
  user(by: {id: $other}) { id } node(id: $other) { id } match(userId: $other) { score }
  viewer { teammates { nodes { displayName } } blockedUsers { nodes { id } }
    teammateRequests(direction: INCOMING) { nodes { id } } chats { nodes { title } } }
}
fragment nameless on User { id username displayName role createdAt avatarUrl viewerRelation viewerNote
  presence { status } profile { id bio updatedAt isLookingForTeammates } reputation { score praiseCount } }"""
AGAINST = (
    'sendMessage(input: {chatId: $chat, text: "there?", clientId: $key}) { message { id }',
    "sendTeammateRequest(input: {userId: $other}) { request { id }",
    "removeTeammate(input: {userId: $other}) { user { id }",
    'setUserNote(input: {userId: $other, note: "gone"}) { user { id }',
    "addMembers(input: {chatId: $group, userIds: [$other]}) { chat { memberCount }",
    "praiseTeammate(input: {userId: $other, traits: [SKILLED]}) { user { id }",
    "unblockUser(input: {userId: $other}) { user { id }",
    "blockUser(input: {userId: $other}) { user { id }",
    "openDirectChat(input: {userId: $other}) { chat { title }",
)


@dataclass(frozen=True)
class World:
    """One who has blocked another, after all that they did together; a third one is there too."""

    blocker: Player
    viewer: Player
    direct: str
    group: str
    message: str
    place: str


async def make_world(make: Factory) -> World:
    """Let two do together whatever there is; then one blocks the other."""
    blocker = await make.player("secretive", display_name="Secretive", languages=["en"], bio="secretive")
    viewer, third = await make.player("max"), await make.player("olga")
    place = (await viewer.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    direct, group = await make.direct_chat(blocker, viewer), await make.group(blocker, viewer, third)
    for chat_id in (direct, group):
        first = await make.send(blocker, chat_id, "a needle in the hay")
        answer = {"chatId": chat_id, "text": "so it is", "replyToId": first["id"]}
        own = await do(viewer, "SendMessage", answer | {"clientId": str(uuid.uuid4())}, "message { id }")
        mine = {"messageId": own["message"]["id"]}
        await do(blocker, "SetReaction", mine | {"emoji": "🔥", "isOn": True}, "userErrors { code }")
        await do(blocker, "EditMessage", {"messageId": first["id"], "text": "another needle"}, "userErrors { code }")
        await do(blocker, "PinMessage", {"messageId": first["id"], "isPinned": True}, "userErrors { code }")
        taken = await make.send(blocker, chat_id, "taken back")
        await do(blocker, "DeleteMessage", {"messageId": taken["id"], "forEveryone": True}, "userErrors { code }")
        await do(blocker, "MarkRead", {"chatId": chat_id, "upToSeq": taken["seq"]}, "userErrors { code }")
        await make.send(viewer, chat_id, "@secretive look")
    forward = {"chatId": group, "clientId": str(uuid.uuid4()), "forwardMessageId": first["id"]}
    await do(viewer, "SendMessage", forward, "userErrors { code }")
    admin = {"chatId": group, "userId": viewer.id, "role": "ADMIN"}
    await do(blocker, "SetMemberRole", admin, "userErrors { code }")
    await do(blocker, "CreateInviteLink", {"chatId": group}, "userErrors { code }")
    await do(blocker, "RemoveMember", {"chatId": group, "userId": third.id}, "userErrors { code }")
    await do(blocker, "UpdateChat", {"chatId": group, "title": "Renamed"}, "userErrors { code }")
    await do(blocker, "BlockUser", {"userId": viewer.id}, "userErrors { code }")
    await make.send(blocker, group, "the needle of one whom you do not see")
    return World(blocker, viewer, direct, group, first["id"], place)


async def do(player: Player, name: str, given: Json, wanted: str) -> Any:
    """Do something that has to succeed; `name` is that of the input type."""
    field = name[0].lower() + name[1:]
    answer = await player.api(
        f"mutation($input: {name}Input!) {{ {field}(input: $input) {{ {wanted} }} }}", input=given
    )
    assert not answer[field].get("userErrors"), answer
    return answer[field]


def whole(document: str) -> str:
    """Give a document with the fragments that it uses."""
    while missing := set(re.findall(r"\.\.\.(\w+)", document)) - set(re.findall(r"fragment (\w+)", document)):
        fragments = {
            "user": USER, "name": NAME, "message": MESSAGE, "brief": BRIEF, "chat": CHAT, "request": REQUEST,
        }  # fmt: skip
        document += "\n" + "\n".join(fragments[name] for name in sorted(missing))
    return document


def showing_fields() -> set[str]:
    """Give every field of the schema that can return one of the guarded types, also as one of several."""
    kinds = SCHEMA.type_map.values()
    names = GUARDED | {
        kind.name
        for kind in kinds
        if isinstance(kind, GraphQLInterfaceType)
        and any(possible.name in GUARDED for possible in SCHEMA.get_possible_types(kind))
    }
    return {
        f"{kind.name}.{name}"
        for kind in kinds
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if get_named_type(field.type).name in names
    }


def selected_fields(document: str) -> set[str]:
    """Give every field that a document selects, as Type.field."""
    found: set[str] = set()
    info = TypeInfo(SCHEMA)

    class Collector(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            parent = info.get_parent_type()
            found.add(f"{parent.name if parent else ''}.{node.name.value}")

    visit(parse(document), TypeInfoVisitor(info, Collector()))
    return found


def test_every_field_that_could_show_somebody_has_a_case() -> None:
    covered = set().union(*(selected_fields(whole(document)) for document in CASES.values()))
    assert showing_fields() - covered - ELSEWHERE.keys() == set(), "add a case with a blocked viewer"
    assert ELSEWHERE.keys() - showing_fields() == set()
    for place in ELSEWHERE.values():
        file, name = place.split("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


async def test_the_blocked_one_sees_nothing_of_the_blocker(make: Factory) -> None:
    world = await make_world(make)
    values = {
        "blocker": world.blocker.id, "direct": world.direct, "group": world.group, "message": world.message,
        "place": world.place,
    }  # fmt: skip
    for name, document in CASES.items():
        used = {key: value for key, value in values.items() if f"${key}:" in document}
        answer = await world.viewer.api.post(whole(document), used)
        assert "errors" not in answer.json(), f"{name}: {answer.text}"
        told = [
            word for word in (world.blocker.id, "secretive", "Secretive") if word in _without_own_words(answer.text)
        ]
        assert told == [], f"{name}: {answer.text}"


async def test_a_block_looks_like_a_deleted_account(make: Factory, services: Services) -> None:
    password_hash = await services.gate.passwords.hash(PASSWORD)
    seen = []
    for number, way in enumerate(("BlockUser", "DeleteAccount")):
        other = await make.player(f"other_{number}", display_name="Other", password_hash=password_hash)
        viewer, friend = (
            await make.player(f"viewer_{number}"),
            await make.player(f"friend_{number}", display_name="Friend"),
        )
        await make.teammates(viewer, other)
        chat_id, group = await make.direct_chat(viewer, other), await make.group(viewer, friend)
        first = await make.send(other, chat_id, "hello")
        answer = {"chatId": chat_id, "text": "and you?", "replyToId": first["id"], "clientId": str(uuid.uuid4())}
        own = await do(viewer, "SendMessage", answer, "message { id }")
        mine = {"messageId": own["message"]["id"], "emoji": "🔥", "isOn": True}
        await do(other, "SetReaction", mine, "userErrors { code }")
        forward = {"chatId": chat_id, "clientId": str(uuid.uuid4()), "forwardMessageId": first["id"]}
        await do(viewer, "SendMessage", forward, "userErrors { code }")
        given = {"userId": viewer.id} if way == "BlockUser" else {"password": PASSWORD}
        await do(other, way, given, "userErrors { code }")
        answers = [(await viewer.api.post(AFTERWARDS, {"other": other.id, "chat": chat_id})).json()]
        for document in AGAINST:
            variables = {"other": other.id, "chat": chat_id, "group": group, "key": str(uuid.uuid4())}
            used = {key: value for key, value in variables.items() if f"${key}" in document}
            head = ", ".join(f"${key}: {'UUID' if key == 'key' else 'ID'}!" for key in used)
            text = f"mutation({head}) {{ {document} userErrors {{ code message path }} }} }}"
            answers.append((await viewer.api.post(text, used)).json())
        seen.append([_without(viewer, answer.get("data")) for answer in answers])
    for blocked, deleted in zip(*seen, strict=True):
        assert blocked == deleted


async def test_nobody_hides_from_the_staff(make: Factory) -> None:
    admin = await make.player("admin_", role=db.Role.ADMIN)
    troll = await make.player("troll")
    await make.block(troll, admin)
    sanction = {"userId": troll.id, "kind": "MUTE", "reason": "insults"}
    await do(admin, "SanctionUser", sanction, "userErrors { code }")
    await do(admin, "AddAccountNote", {"userId": troll.id, "text": "loud"}, "userErrors { code }")
    answer = await admin.api(
        """{ accounts(search: "troll") { nodes { user { username } notes { text author { username } }
               sanctions { user { username } by { username } } } }
             auditLog(first: 5) { nodes { actor { username } target { username } } } }"""
    )
    (account,) = answer["accounts"]["nodes"]
    assert account == {
        "user": {"username": "troll"},
        "notes": [{"text": "loud", "author": {"username": "admin_"}}],
        "sanctions": [{"user": {"username": "troll"}, "by": {"username": "admin_"}}],
    }
    entries = answer["auditLog"]["nodes"]
    assert {"actor": {"username": "admin_"}, "target": {"username": "troll"}} in entries


async def test_there_is_one_predicate_for_blocks() -> None:
    """Who has blocked the viewer is asked in one place; the search has its own shape of it, for its statement."""
    asking = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "gamebuddy").rglob("*.py")
        if re.search(r"blocked_id == (viewer\.account_id|me)\b", path.read_text(encoding="utf-8"))
    }
    assert asking == {"gamebuddy/resolvers/accounts/lookup.py", "gamebuddy/resolvers/search/asking.py"}


def _without_own_words(answer: str) -> str:
    """Leave out what the viewer has written himself."""
    return answer.replace("@secretive look", "")


def _without(player: Player, answer: Any) -> Any:
    """Say of somebody no more than that it is he."""
    if isinstance(answer, list):
        return [_without(player, item) for item in answer]
    if not isinstance(answer, dict):
        return answer
    if answer.get("id") == player.id:
        return "himself"
    return {name: _without(player, value) for name, value in answer.items()}
