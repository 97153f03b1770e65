"""What would become of an account that is deleted."""

import strawberry

from gamebuddy.resolvers import departure
from gamebuddy.resolvers.departure import STAYS_NAMELESS, Kept
from gamebuddy.schema.describe import describe_enum
from gamebuddy.schema.scalars import Moment

describe_enum(
    Kept,
    "What is kept of an account.",
    name="KeptOfAccount",
    GAMES="Games of the profile; the profile goes with them.",
    SESSIONS="Devices that are signed in, and were lately.",
    TEAMMATES="Teammates.",
    BLOCKS="Blocks.",
    NOTES="Private notes on others.",
    PRAISE="Praise, given and received.",
    REACTIONS="Signs under messages.",
    INVITE_LINKS="Invite links.",
    GROUPS="Groups: they are left, and go on under the next owner.",
    MESSAGES="Messages.",
    ATTACHMENTS="Files under them.",
)


@strawberry.type(description="How much there is of something. Seen by the account's owner alone.")
class KeptCount:
    """See the description."""

    kind: Kept = strawberry.field(description="Of what.")
    count: int = strawberry.field(description="How much; what there is none of is left out.")


@strawberry.type(description="What deleteAccount would do now. Seen by the account's owner alone.")
class DeletionPreview:
    """See the description."""

    restorable_until: Moment = strawberry.field(description="Until when restoreAccount would bring everything back.")
    erased: list[KeptCount] = strawberry.field(description="What nobody else sees from then on, and is erased at last.")
    anonymized: list[KeptCount] = strawberry.field(
        description="What stays for those who have read it, signed by nobody; `eraseMessages` erases it too."
    )

    @classmethod
    def of(cls, preview: departure.Preview) -> "DeletionPreview":
        """Show it."""
        found = [KeptCount(kind=kind, count=count) for kind, count in preview.counts.items() if count]
        return cls(
            restorable_until=Moment(preview.ends_at),
            erased=[one for one in found if one.kind not in STAYS_NAMELESS],
            anonymized=[one for one in found if one.kind in STAYS_NAMELESS],
        )
