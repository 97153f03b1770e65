from datetime import date

from gamebuddy.db import Role
from tests.accounts.operations import payload, sign_in
from tests.api import Api
from tests.factories import Factory, Player

EVERYTHING = """query($id: ID!) {
  user(by: {id: $id}) { ...player }
  node(id: $id) { ... on User { ...player } }
  match(userId: $id) { score reasons { signal text(locale: "en") } }
  teammates { nodes { ...player } }
}
fragment player on User {
  id username displayName role createdAt viewerRelation viewerHasBlocked
  profile { id bio country region timeZone languages platforms ageBand isLookingForTeammates updatedAt
            games { rating rank { name } } availability { weekday } }
}"""


async def test_nobody_sees_anothers_address_network_or_birthday(api: Api, nika: Player, make: Factory) -> None:
    payload(await sign_in(api))  # there is a session with a network address
    await make.player("stranger", birth_date=date(1999, 12, 31))
    hidden = ("nika@example.com", "2000-01-01", "127.0.0.1", "argon2")
    for viewer in ((await make.player("max")).api, (await make.player("mod_", role=Role.MODERATOR)).api):
        answer = await viewer.post(EVERYTHING, {"id": nika.id})
        assert "nika" in answer.text
        assert [fact for fact in hidden if fact in answer.text] == []


async def test_what_is_denied_leaves_the_rest_of_the_answer_as_it_is(api: Api, make: Factory) -> None:
    chat_id = await make.group(await make.player("owner"))
    answer = (await api.post("query($id: ID!) { genres { slug } chat(id: $id) { id } }", {"id": chat_id})).json()
    assert answer["data"]["chat"] is None
    assert len(answer["data"]["genres"]) > 10
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["chat"], "UNAUTHENTICATED")


async def test_a_moderator_reads_no_private_chat(make: Factory) -> None:
    chat_id = await make.group(await make.player("owner"), await make.player("friend"))
    for role in (Role.MODERATOR, Role.ADMIN):
        somebody = await make.player(role=role)
        answer = await somebody.api("query($id: ID!) { chat(id: $id) { id } node(id: $id) { id } }", id=chat_id)
        assert answer == {"chat": None, "node": None}


async def test_who_has_blocked_whom_is_told_to_nobody(nika: Player, make: Factory) -> None:
    other = await make.player("other")
    await make.block(nika, other)
    unknown = "usr_AAAAAAAAAAAAAAAAAAAAAA"
    document = "query($id: ID!) { user(by: {id: $id}) { id } match(userId: $id) { score } }"
    assert await other.api(document, id=nika.id) == await other.api(document, id=unknown)
    for mutation in ("sendTeammateRequest", "openDirectChat", "blockUser"):
        asked = f"mutation($id: ID!) {{ {mutation}(input: {{userId: $id}}) {{ userErrors {{ code message path }} }} }}"
        assert await other.api(asked, id=nika.id) == await other.api(asked, id=unknown)
