"""What the caller may still do, asked before it is tried."""

from enum import StrEnum

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.auth.throttle import Budget, Limit
from gamebuddy.resolvers import limits
from gamebuddy.schema.describe import describe_enum
from gamebuddy.schema.fields import Reading, query
from gamebuddy.schema.scalars import Moment


class BudgetName(StrEnum):
    """The limits that are counted by account or by address; others count what is tried, and are told to nobody."""

    SEND_MESSAGE = "SEND_MESSAGE"
    UPLOAD = "UPLOAD"
    REPORT = "REPORT"
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a limit
    SECOND_FACTOR = "SECOND_FACTOR"
    EMAIL_CHANGES = "EMAIL_CHANGES"
    SIGN_IN_BY_ADDRESS = "SIGN_IN_BY_ADDRESS"
    REGISTER_BY_ADDRESS = "REGISTER_BY_ADDRESS"
    ASK_FOR_LETTER_BY_ADDRESS = "ASK_FOR_LETTER_BY_ADDRESS"
    TRY_CODE_BY_ADDRESS = "TRY_CODE_BY_ADDRESS"

    @property
    def limit(self) -> Limit:
        """The limit of this name."""
        return Limit(self.value)


describe_enum(
    BudgetName,
    "What is counted, by account or by network address. New values may come.",
    SEND_MESSAGE="Messages that the account sends.",
    UPLOAD="Uploads that the account begins.",
    REPORT="Reports that the account files.",
    PASSWORD="Tries of the account's password by one who is signed in already.",  # noqa: S106 - a description
    SECOND_FACTOR="Tries of the account's second factor.",
    EMAIL_CHANGES="Changes of the account's e-mail address that are asked for.",
    SIGN_IN_BY_ADDRESS="Tries to sign in, from the network address.",
    REGISTER_BY_ADDRESS="Registrations, of guests too, from the network address.",
    ASK_FOR_LETTER_BY_ADDRESS="Letters with a code that are asked for from the network address.",
    TRY_CODE_BY_ADDRESS="Tries of codes out of letters, from the network address.",
)


@strawberry.type(
    description="How often one may still do something. It fills up again bit by bit. Only those see it whom it counts."
)
class RateBudget:
    """See the description."""

    name: BudgetName = strawberry.field(description="What is counted.")
    limit: int = strawberry.field(description="How many may come at once when nothing is used up.")
    remaining: int = strawberry.field(description="How many may come at once now: 0 to `limit`.")
    interval_seconds: float = strawberry.field(description="After how many seconds one more may come.")
    reset_at: Moment = strawberry.field(description="From when on `remaining` is `limit` again, if nothing comes.")

    @classmethod
    def of(cls, budget: Budget) -> "RateBudget":
        """Show a budget."""
        return cls(
            name=BudgetName(budget.limit.value),
            limit=budget.rate.burst,
            remaining=budget.remaining,
            interval_seconds=budget.rate.interval.total_seconds(),
            reset_at=Moment(budget.reset_at),
        )


@strawberry.type(description="What the caller may still ask for and do. Only the caller sees it.")
class RateLimit:
    """See the description."""

    cost: int = strawberry.field(
        description="What this operation counts: its fields, those of a page times the page's size."
    )
    cost_limit: int = strawberry.field(description="The most that one operation may count.")
    budgets: list[RateBudget] = strawberry.field(
        description="What is counted by the caller's account, and by his network address, which others may share."
        " Without an account only the latter."
    )


@strawberry.type
class LimitQueries:
    """Root fields that tell of limits."""

    @query(Right.PUBLIC)
    async def rate_limit(self, door: Reading) -> RateLimit:
        """What the caller may still do before he is told to wait. Asking counts nowhere."""
        prepared, services = door.context.prepared, door.services
        left = await limits.budgets(
            door.session,
            door.caller,
            throttle=services.gate.throttle,
            address=door.context.client.address,
            limits=[name.limit for name in BudgetName],
        )
        return RateLimit(
            cost=prepared.cost if prepared else 0,
            cost_limit=services.settings.max_cost,
            budgets=[RateBudget.of(budget) for budget in left],
        )
