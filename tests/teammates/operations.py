"""What the tests of teammates send, and how they read the answers."""

from typing import Any

from tests.api import Json
from tests.factories import Player

SEND = """
mutation Send($input: SendTeammateRequestInput!) {
  sendTeammateRequest(input: $input) {
    request { id status message answeredAt game { slug } sender { username } receiver { username } }
    userErrors { code message path }
  }
}"""
ANSWER = """
mutation Answer($input: AnswerTeammateRequestInput!) {
  answerTeammateRequest(input: $input) { request { id status answeredAt } userErrors { code path } }
}"""
CANCEL = """
mutation Cancel($input: CancelTeammateRequestInput!) {
  cancelTeammateRequest(input: $input) { request { id status } userErrors { code path } }
}"""
REMOVE = """
mutation Remove($input: RemoveTeammateInput!) {
  removeTeammate(input: $input) { user { username viewerRelation } userErrors { code path } }
}"""
BLOCK = """
mutation Block($input: BlockUserInput!) {
  blockUser(input: $input) { user { username viewerHasBlocked viewerRelation } userErrors { code path } }
}"""
UNBLOCK = """
mutation Unblock($input: UnblockUserInput!) {
  unblockUser(input: $input) { user { username viewerHasBlocked } userErrors { code path } }
}"""
LISTS = """
{
  viewer {
    teammates { nodes { username viewerRelation } }
    incoming: teammateRequests(direction: INCOMING) { nodes { id status message sender { username viewerRelation } } }
    outgoing: teammateRequests(direction: OUTGOING) { nodes { id status receiver { username viewerRelation } } }
    blockedUsers { nodes { username viewerHasBlocked } }
  }
}"""


def payload(answer: Json) -> Any:
    """Give the one payload of a mutation."""
    (found,) = answer.values()
    return found


def problem(answer: Json) -> tuple[str, str]:
    """Give the code and the path of the one user error."""
    (error,) = payload(answer)["userErrors"]
    return error["code"], ".".join(error["path"])


async def ask(sender: Player, receiver: Player, **more: Any) -> Any:
    """Send a request and give it."""
    answer = payload(await sender.api(SEND, input={"userId": receiver.id, **more}))
    assert answer["userErrors"] == []
    return answer["request"]


async def lists(player: Player) -> Any:
    """Give everything that a player sees of teammates, by names alone."""
    viewer = (await player.api(LISTS))["viewer"]
    return {
        "teammates": [user["username"] for user in viewer["teammates"]["nodes"]],
        "incoming": [request["sender"]["username"] for request in viewer["incoming"]["nodes"]],
        "outgoing": [request["receiver"]["username"] for request in viewer["outgoing"]["nodes"]],
        "blocked": [user["username"] for user in viewer["blockedUsers"]["nodes"]],
    }


NOBODY: Json = {"teammates": [], "incoming": [], "outgoing": [], "blocked": []}
