"""The published table of rights, made from the tables that decide."""

from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.db import Role
from gamebuddy.schema import root
from gamebuddy.schema.fields import rights_of

HEAD = """# Rights

Made by `make schema` from `gamebuddy/auth/policy.py`, which is where rights are decided; change it there.

Role and state are read from the database at each operation, never from the token. An account whose address is not
confirmed is a guest. A banned or deleted account has no session, so it has no rights at all.

| right | anonymous | {roles} | operations |
|---|---|{dashes}|---|
"""
FOOT = """
A mute takes {writing} until it ends, and keeps the words of the profile as they are.

Who may act on whom, with a reason and written to the audit log:

| | on {roles} |
|---|{dashes}|
"""


def table() -> str:
    """Write both tables as Markdown."""
    roles = [role.value.lower() for role in Role]
    dashes = "|".join("---" for _ in roles)
    lines = [HEAD.format(roles=" | ".join(roles), dashes=dashes)]
    operations = _operations()
    for right in Right:
        holders = policy.HOLDERS[right]
        marks = [_mark(holders is None), *(_mark(holders is None or role in holders) for role in Role)]
        used_by = ", ".join(f"`{name}`" for name in dict.fromkeys(operations[right]))
        lines.append(f"| {right.value} | {' | '.join(marks)} | {used_by} |\n")
    writing = ", ".join(right.value for right in Right if right in policy.WRITING)
    lines.append(FOOT.format(writing=writing, roles=" | on ".join(roles), dashes=dashes))
    for actor in (Role.MODERATOR, Role.ADMIN):
        marks = [_mark(policy.RANKS[actor] > policy.RANKS[role]) for role in Role]
        lines.append(f"| {actor.value.lower()}: mute, ban | {' | '.join(marks)} |\n")
    lines.append("| admin: change the role | yes | yes | yes | yes, never of the last |\n")
    lines.append("\nA moderator bans for at most 30 days. Nobody acts on himself.\n")
    return "".join(lines)


def _operations() -> dict[Right, list[str]]:
    found: dict[Right, list[str]] = {right: [] for right in Right}
    for kind in (*root.QUERIES, *root.MUTATIONS, *root.SUBSCRIPTIONS):
        names = {field.python_name: field.graphql_name for field in get_object_definition(kind, strict=True).fields}
        for name, right in rights_of(kind).items():
            if right is not None:
                found[right].append(names[name] or to_camel_case(name))
    return found


def _mark(is_allowed: bool) -> str:
    return "yes" if is_allowed else "no"
