"""What the tests of chats send, and how they read the answers."""

import uuid
from typing import Any

from tests.api import Api, Json
from tests.factories import Player

OPEN = """
mutation Open($input: OpenDirectChatInput!) {
  openDirectChat(input: $input) {
    chat { id kind title memberCount lastSeq members { nodes { role user { username } } } }
    userErrors { code message path }
  }
}"""
CREATE = """
mutation Create($input: CreateGroupInput!) {
  createGroup(input: $input) {
    chat {
      id kind title memberCount lastSeq
      members { nodes { role lastReadSeq user { username } invitedBy { username } } }
    }
    userErrors { code message path }
  }
}"""
ADD = """
mutation Add($input: AddMembersInput!) {
  addMembers(input: $input) {
    chat { id memberCount lastSeq viewerUnreadCount }
    userErrors { code message path }
  }
}"""
LEAVE = """
mutation Leave($input: LeaveChatInput!) {
  leaveChat(input: $input) {
    chat { id memberCount viewerMembership { role } lastMessage { text } messages { nodes { text } } }
    userErrors { code message path }
  }
}"""
SEND = """
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message {
      id seq clientId kind text createdAt
      author { username }
      replyTo { id text }
      chat { id lastSeq viewerUnreadCount lastMessage { text } }
    }
    userErrors { __typename code message path ... on RetryLater { retryAt } }
  }
}"""
READ = """
mutation Read($input: MarkReadInput!) {
  markRead(input: $input) {
    chat { lastSeq viewerUnreadCount viewerMembership { lastReadSeq } }
    userErrors { code message path }
  }
}"""
CHAT = """
query Chat($id: ID!) {
  chat(id: $id) {
    id kind title memberCount lastSeq viewerUnreadCount
    viewerMembership { role lastReadSeq }
    members { nodes { role user { username } } }
    messages(last: 100) { nodes { seq kind text author { username } } }
  }
}"""
UPDATE = """
mutation Update($input: UpdateChatInput!) {
  updateChat(input: $input) {
    chat {
      id title lastSeq
      settings { whoMayInvite whoMayPin whoMayEditInfo whoMayWrite historyForNewcomers slowModeSeconds }
    }
    userErrors { code message path }
  }
}"""
REMOVE = """
mutation Remove($input: RemoveMemberInput!) {
  removeMember(input: $input) { chat { id memberCount } userErrors { code message path } }
}"""
SET_ROLE = """
mutation Role($input: SetMemberRoleInput!) {
  setMemberRole(input: $input) {
    chat { members { nodes { role user { username } } } } userErrors { code message path }
  }
}"""
MAKE_LINK = """
mutation Link($input: CreateInviteLinkInput!) {
  createInviteLink(input: $input) {
    inviteLink { id code url expiresAt maxUses useCount createdBy { username } } userErrors { code message path }
  }
}"""
REVOKE_LINK = """
mutation Revoke($input: RevokeInviteLinkInput!) {
  revokeInviteLink(input: $input) { inviteLink { id } userErrors { code message path } }
}"""
JOIN = """
mutation Join($input: JoinByInviteInput!) {
  joinByInvite(input: $input) {
    chat { id memberCount viewerUnreadCount messages(last: 100) { nodes { text } } } userErrors { code message path }
  }
}"""
PREVIEW = "query Invite($code: String!) { invite(code: $code) { title memberCount isMember } }"
EDIT = """
mutation Edit($input: EditMessageInput!) {
  editMessage(input: $input) { message { id text editedAt mentions { username } } userErrors { code message path } }
}"""
DELETE = """
mutation Delete($input: DeleteMessageInput!) {
  deleteMessage(input: $input) { message { id text deletedAt isPinned } userErrors { code message path } }
}"""
REACT = """
mutation React($input: SetReactionInput!) {
  setReaction(input: $input) {
    message { reactions { emoji count viewerHasReacted } } userErrors { code message path }
  }
}"""
PIN = """
mutation Pin($input: PinMessageInput!) {
  pinMessage(input: $input) { message { id isPinned } userErrors { code message path } }
}"""
NOTIFY = """
mutation Notify($input: SetChatNotificationsInput!) {
  setChatNotifications(input: $input) {
    chat { viewerMembership { mutedUntil isArchived } } userErrors { code message path }
  }
}"""
CAN = "query Can($id: ID!, $action: ChatAction!) { chat(id: $id) { viewerCan(action: $action) { isAllowed until } } }"


async def can(player: Player, chat_id: str, action: str) -> bool:
    """Tell what viewerCan says."""
    allowed: bool = (await player.api(CAN, id=chat_id, action=action))["chat"]["viewerCan"]["isAllowed"]
    return allowed


def payload(answer: Json) -> Any:
    """Give the one payload of a mutation."""
    (found,) = answer.values()
    return found


def problems(answer: Json) -> list[tuple[str, str]]:
    """Give the codes and the paths of the user errors."""
    return [(error["code"], ".".join(error["path"])) for error in payload(answer)["userErrors"]]


def new_id() -> str:
    """Make an id as a client does."""
    return str(uuid.uuid4())


async def send(author: Player, chat_id: str, text: str | None = "hello", **more: Any) -> Json:
    """Send a message with an id of its own, unless one is given, and give the whole answer."""
    return await author.api(SEND, input={"chatId": chat_id, "clientId": new_id(), "text": text} | more)


async def look(player: Player, chat_id: str) -> Any:
    """Give the chat as a player sees it."""
    return (await player.api(CHAT, id=chat_id))["chat"]


async def texts(player: Player, chat_id: str) -> list[str]:
    """Give what people have written, oldest first."""
    messages = (await look(player, chat_id))["messages"]["nodes"]
    return [message["text"] for message in messages if message["kind"] == "TEXT"]


async def news(player: Player, chat_id: str) -> list[str]:
    """Give what the chat itself has said, oldest first."""
    messages = (await look(player, chat_id))["messages"]["nodes"]
    return [message["text"] for message in messages if message["kind"] == "SYSTEM"]


async def is_denied(api: Api, query: str, **variables: Any) -> str:
    """Give the code that an operation is refused with."""
    code: str = (await api.error(query, **variables))["extensions"]["code"]
    return code
