"""What the tests of moderation send, and how they read the answers."""

from typing import Any

from tests.accounts.operations import call
from tests.factories import Player

REPORT = """report {
  id reason comment status createdAt closedAt reporter { username } reportedUser { username displayName }
  assignee { username } resolution profile { username displayName bio ageBand }
}"""
EVIDENCE = "id evidence { text isReported earlierTexts fileNames author { username displayName } }"
QUEUE = """query($status: ReportStatus, $first: Int, $after: Cursor) {
  reports(status: $status, first: $first, after: $after) {
    nodes { id status reportedUser { username } assignee { username } }
    pageInfo { hasNextPage endCursor }
  }
}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on Report {{ {EVIDENCE} profile {{ bio }} resolution }} }} }}"


async def report(by: Player, fields: str = REPORT, *, reason: str = "HARASSMENT", **subject: str) -> Any:
    """Report a player (`userId`) or a message (`messageId`); gives the whole answer."""
    comment = subject.pop("comment", None)
    return await call(by.api, "report", fields, subject=subject, reason=reason, comment=comment)


async def filed(by: Player, **subject: str) -> str:
    """Report and give the id."""
    report_id: str = (await report(by, "report { id }", **subject))["report"]["report"]["id"]
    return report_id


async def queue(by: Player, status: str | None = None) -> list[str]:
    """Give the ids of the reports that somebody handles."""
    return [node["id"] for node in (await by.api(QUEUE, status=status, first=50))["reports"]["nodes"]]


async def evidence(by: Player, report_id: str) -> Any:
    """Give what was kept with a report, as somebody sees it; None where he sees no such report."""
    node = (await by.api(NODE, id=report_id))["node"]
    return node["evidence"] if node else None


async def handle(by: Player, operation: str, report_id: str, **more: Any) -> Any:
    """Send claimReport, releaseReport, resolveReport or hideReportedMessage."""
    return await call(by.api, operation, REPORT, reportId=report_id, **more)
