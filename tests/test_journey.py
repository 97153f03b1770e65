"""The main job, end to end: two people meet, and talk."""

import uuid
from typing import Any

from tests.api import Api, Json
from tests.post_office import PostOffice

REGISTER = """
mutation Register($input: RegisterInput!) {
  register(input: $input) { verificationExpiresAt userErrors { code message path } }
}"""
VERIFY = """
mutation Verify($input: VerifyEmailInput!) {
  verifyEmail(input: $input) {
    tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt sessionId }
    viewer { role email user { id username } }
    userErrors { code message path }
  }
}"""
SIGN_IN = """
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    tokens { accessToken refreshToken sessionId }
    viewer { user { username } }
    userErrors { code message path }
  }
}"""
CATALOGUE = """
query Catalogue {
  genres { id slug name(locale: "ru") }
  games(search: "dota") { nodes { id slug title platforms genres { slug } ranks { id name level } roles { id slug } } }
}"""
UPDATE_PROFILE = """
mutation UpdateProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    user {
      displayName
      profile {
        bio country region timeZone languages platforms playStyle voiceChat ageBand isLookingForTeammates
        genres { slug }
        games { game { slug } rank { name } rating roles { slug } isFavorite }
        availability { weekday startHour endHour }
      }
    }
    userErrors { code message path }
  }
}"""
TEAMMATES = """
query Teammates($games: [ID!]) {
  teammates(filter: {gameIds: $games}, first: 10) {
    edges {
      cursor
      node { id username viewerRelation }
      match {
        score overlapHours rankingVersion
        sharedGames { slug }
        reasons { signal contribution value weight text(locale: "en") }
      }
    }
    pageInfo { hasNextPage }
    relaxations
  }
}"""
ASK = """
mutation Ask($input: SendTeammateRequestInput!) {
  sendTeammateRequest(input: $input) { request { id status message } userErrors { code message path } }
}"""
REQUESTS = """
{ viewer { teammateRequests(direction: INCOMING) { nodes { id status message sender { username } game { slug } } } } }
"""
ANSWER = """
mutation Answer($input: AnswerTeammateRequestInput!) {
  answerTeammateRequest(input: $input) { request { status answeredAt } userErrors { code message path } }
}"""
OPEN_CHAT = """
mutation OpenChat($input: OpenDirectChatInput!) {
  openDirectChat(input: $input) { chat { id kind title memberCount } userErrors { code message path } }
}"""
CREATE_GROUP = """
mutation CreateGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    chat { id kind title memberCount members { nodes { role user { username } } } }
    userErrors { code message path }
  }
}"""
SEND = """
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id seq clientId kind text author { username } createdAt }
    userErrors { code message path }
  }
}"""
EVENTS = """
subscription Events($after: Cursor) {
  events(after: $after) {
    __typename id cursor at
    ... on MessageSent { seq chat { id viewerUnreadCount } message { id text author { username } } }
  }
}"""
CHAT_EVENTS = """
subscription ChatEvents($chat: ID!, $after: Cursor) {
  chatEvents(chatId: $chat, after: $after) {
    __typename id cursor at
    ... on ChatEvent { seq }
    ... on MessageSent { message { text author { displayName } } }
  }
}"""
HISTORY = """
query History($chat: ID!, $last: Int, $before: Cursor) {
  chat(id: $chat) {
    messages(last: $last, before: $before) {
      nodes { seq text }
      pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
    }
  }
}"""
UNREAD = "query Unread($chat: ID!) { viewer { unreadChatCount } chat(id: $chat) { viewerUnreadCount lastSeq } }"
MARK_READ = """
mutation MarkRead($input: MarkReadInput!) {
  markRead(input: $input) {
    chat { viewerUnreadCount viewerMembership { lastReadSeq } }
    userErrors { code message path }
  }
}"""
REFRESH = """
mutation Refresh($input: RefreshSessionInput!) {
  refreshSession(input: $input) { tokens { accessToken refreshToken } userErrors { code message path } }
}"""
SIGN_OUT = "mutation SignOut { signOut { isDone userErrors { code } } }"


async def test_two_people_meet_and_talk(api: Api, post_office: PostOffice) -> None:
    nika, max_ = await arrive(api, post_office, "nika", locale="ru"), await arrive(api, post_office, "max")
    dota = await the_catalogue_has_dota(api)
    await both_fill_in_their_profiles(nika, max_, dota)

    max_id = await nika_finds_max(nika, dota)
    await nika_asks_and_max_agrees(nika, max_, max_id, dota)

    chat_id = await nika_opens_a_chat(nika, max_id)
    await messages_arrive_live_and_after_a_break(nika, max_, chat_id)
    await max_reads_back_and_marks_read(max_, chat_id)
    await a_group_is_one_more_chat(nika, max_, max_id)

    await nika_leaves_for_today(api, post_office, nika)


async def arrive(api: Api, post_office: PostOffice, name: str, locale: str = "en") -> Api:
    """Register, read the letter, confirm the address, sign in."""
    address = f"{name}@example.com"
    account = {"email": address, "username": name, "password": "correct horse 7", "locale": locale}
    registered = succeed(await api(REGISTER, input=account))
    assert registered["verificationExpiresAt"]

    code = await post_office.code_for(address)
    verified = succeed(await api(VERIFY, input={"email": address, "code": code, "deviceName": "iPhone"}))
    assert verified["viewer"]["role"] == "USER"
    assert verified["viewer"]["email"] == address

    signed_in = succeed(await api(SIGN_IN, input={"login": name.upper(), "password": "correct horse 7"}))
    assert signed_in["viewer"]["user"]["username"] == name
    return api.signed_in(signed_in["tokens"]["accessToken"])


async def the_catalogue_has_dota(api: Api) -> Json:
    catalogue = await api(CATALOGUE)
    assert len(catalogue["genres"]) >= 10
    (dota,) = [game for game in catalogue["games"]["nodes"] if game["slug"] == "dota-2"]
    assert [dota["ranks"][0]["level"], dota["ranks"][-1]["level"]] == [0, 1]
    dota["genre"] = next(genre["id"] for genre in catalogue["genres"] if genre["slug"] == dota["genres"][0]["slug"])
    found: Json = dota
    return found


async def both_fill_in_their_profiles(nika: Api, max_: Api, dota: Json) -> None:
    for player, rating, role in ((nika, 1700, 0), (max_, 1640, 1)):
        changed = succeed(
            await player(
                UPDATE_PROFILE,
                input={
                    "bio": "Evenings, no drama.",
                    "birthDate": "1999-04-01",
                    "country": "DE",
                    "region": "EUROPE",
                    "timeZone": "Europe/Berlin",
                    "languages": ["ru", "en"],
                    "platforms": ["PC"],
                    "genreIds": [dota["genre"]],
                    "games": [
                        {
                            "gameId": dota["id"],
                            "rankId": dota["ranks"][3]["id"],
                            "rating": rating,
                            "roleIds": [dota["roles"][role]["id"]],
                            "isFavorite": True,
                        }
                    ],
                    "playStyle": "BALANCED",
                    "voiceChat": "PREFERRED",
                    "availability": [{"weekday": "FRIDAY", "startHour": 19, "endHour": 24}],
                    "isLookingForTeammates": True,
                },
            )
        )
        profile = changed["user"]["profile"]
        assert profile["games"][0]["rating"] == rating
        assert profile["games"][0]["rank"]["name"] == dota["ranks"][3]["name"]
        assert profile["availability"] == [{"weekday": "FRIDAY", "startHour": 19, "endHour": 24}]
        assert profile["ageBand"] == "FROM_25_TO_34"


async def nika_finds_max(nika: Api, dota: Json) -> str:
    found = (await nika(TEAMMATES, games=[dota["id"]]))["teammates"]
    (edge,) = found["edges"]
    assert edge["node"]["username"] == "max"
    match = edge["match"]
    assert 0.5 < match["score"] <= 1
    assert match["overlapHours"] == 5
    assert [game["slug"] for game in match["sharedGames"]] == ["dota-2"]
    assert abs(sum(reason["contribution"] for reason in match["reasons"]) - match["score"]) < 1e-9
    contributions = [reason["contribution"] for reason in match["reasons"]]
    assert contributions == sorted(contributions, reverse=True)
    user_id: str = edge["node"]["id"]
    return user_id


async def nika_asks_and_max_agrees(nika: Api, max_: Api, max_id: str, dota: Json) -> None:
    asked = succeed(await nika(ASK, input={"userId": max_id, "message": "Play tonight?", "gameId": dota["id"]}))
    assert asked["request"]["status"] == "PENDING"
    (request,) = (await max_(REQUESTS))["viewer"]["teammateRequests"]["nodes"]
    assert (request["sender"]["username"], request["message"]) == ("nika", "Play tonight?")
    answered = succeed(await max_(ANSWER, input={"requestId": request["id"], "accept": True}))
    assert answered["request"]["status"] == "ACCEPTED"


async def nika_opens_a_chat(nika: Api, max_id: str) -> str:
    opened = succeed(await nika(OPEN_CHAT, input={"userId": max_id}))["chat"]
    again = succeed(await nika(OPEN_CHAT, input={"userId": max_id}))["chat"]
    assert opened == again
    assert (opened["kind"], opened["title"], opened["memberCount"]) == ("DIRECT", "max", 2)
    chat_id: str = opened["id"]
    return chat_id


async def messages_arrive_live_and_after_a_break(nika: Api, max_: Api, chat_id: str) -> None:
    async with max_.socket() as account_socket, max_.socket() as chat_socket:
        everything = await account_socket.subscribe(EVENTS)
        one_chat = await chat_socket.subscribe(CHAT_EVENTS, chat=chat_id)
        assert (await everything.next())["__typename"] == "CaughtUp"
        assert (await one_chat.next())["__typename"] == "CaughtUp"

        first = await say(nika, chat_id, "Hi Max!")
        event = await everything.next()
        assert event["message"] == {"id": first["id"], "text": "Hi Max!", "author": {"username": "nika"}}
        assert event["chat"]["viewerUnreadCount"] == 1
        seen = await one_chat.next()
        assert (seen["seq"], seen["message"]["text"]) == (first["seq"], "Hi Max!")

    await say(nika, chat_id, "Are you there?")  # while nobody listens
    await say(nika, chat_id, "I will wait in the lobby.")

    async with max_.socket() as account_socket, max_.socket() as chat_socket:
        everything = await account_socket.subscribe(EVENTS, after=event["cursor"])
        one_chat = await chat_socket.subscribe(CHAT_EVENTS, chat=chat_id, after=seen["cursor"])
        for stream in (everything, one_chat):
            texts = [(await stream.next())["message"]["text"] for _ in range(2)]
            assert texts == ["Are you there?", "I will wait in the lobby."]
            assert (await stream.next())["__typename"] == "CaughtUp"
        await say(nika, chat_id, "Live again")
        assert (await everything.next())["message"]["text"] == "Live again"
        assert (await one_chat.next())["message"]["text"] == "Live again"


async def max_reads_back_and_marks_read(max_: Api, chat_id: str) -> None:
    newest = (await max_(HISTORY, chat=chat_id, last=3))["chat"]["messages"]
    assert [message["text"] for message in newest["nodes"]] == [
        "Are you there?",
        "I will wait in the lobby.",
        "Live again",
    ]
    assert newest["pageInfo"]["hasPreviousPage"]
    older = (await max_(HISTORY, chat=chat_id, last=3, before=newest["pageInfo"]["startCursor"]))["chat"]["messages"]
    assert [message["text"] for message in older["nodes"]] == ["Hi Max!"]
    assert not older["pageInfo"]["hasPreviousPage"]

    assert (await max_(UNREAD, chat=chat_id))["chat"]["viewerUnreadCount"] == 4
    halfway = newest["nodes"][0]["seq"]
    marked = succeed(await max_(MARK_READ, input={"chatId": chat_id, "upToSeq": halfway}))["chat"]
    assert marked == {"viewerUnreadCount": 2, "viewerMembership": {"lastReadSeq": halfway}}
    back = succeed(await max_(MARK_READ, input={"chatId": chat_id, "upToSeq": 1}))["chat"]
    assert back == marked
    last_seq = (await max_(UNREAD, chat=chat_id))["chat"]["lastSeq"]
    succeed(await max_(MARK_READ, input={"chatId": chat_id, "upToSeq": last_seq}))
    after = await max_(UNREAD, chat=chat_id)
    assert (after["viewer"]["unreadChatCount"], after["chat"]["viewerUnreadCount"]) == (0, 0)


async def a_group_is_one_more_chat(nika: Api, max_: Api, max_id: str) -> None:
    client_id = str(uuid.uuid4())
    group = {"title": "Five stack", "memberIds": [max_id], "clientId": client_id}
    made = succeed(await nika(CREATE_GROUP, input=group))["chat"]
    assert made == succeed(await nika(CREATE_GROUP, input=group))["chat"]
    assert {member["user"]["username"]: member["role"] for member in made["members"]["nodes"]} == {
        "nika": "OWNER",
        "max": "MEMBER",
    }
    repeated = {"chatId": made["id"], "clientId": str(uuid.uuid4()), "text": "Welcome"}
    first = succeed(await nika(SEND, input=repeated))["message"]
    assert succeed(await nika(SEND, input=repeated))["message"] == first
    assert (await max_(HISTORY, chat=made["id"], last=10))["chat"]["messages"]["nodes"] == [
        {"seq": first["seq"], "text": "Welcome"}
    ]


async def nika_leaves_for_today(api: Api, post_office: PostOffice, nika: Api) -> None:
    signed_in = succeed(await api(SIGN_IN, input={"login": "nika@example.com", "password": "correct horse 7"}))
    refreshed = succeed(await api(REFRESH, input={"refreshToken": signed_in["tokens"]["refreshToken"]}))
    fresh = api.signed_in(refreshed["tokens"]["accessToken"])
    assert succeed(await fresh(SIGN_OUT))["isDone"]
    answer = await fresh.post("{ viewer { email } }")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    late = await api(REFRESH, input={"refreshToken": refreshed["tokens"]["refreshToken"]})
    assert late["refreshSession"]["userErrors"][0]["code"] == "SESSION_REVOKED"
    assert (await nika("{ viewer { email } }"))["viewer"]["email"] == "nika@example.com"


async def say(author: Api, chat_id: str, text: str) -> Json:
    sent = await author(SEND, input={"chatId": chat_id, "clientId": str(uuid.uuid4()), "text": text})
    message: Json = succeed(sent)["message"]
    return message


def succeed(answer: Json) -> Any:
    """Give the one payload of a mutation that went well."""
    (payload,) = answer.values()
    assert payload["userErrors"] == []
    return payload
