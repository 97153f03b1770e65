"""What the caller may still do, asked before it is tried."""

from enum import StrEnum

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.auth.throttle import RATES, Budget, Limit, Rate, loosest, strictest
from gamebuddy.resolvers import limits
from gamebuddy.schema.describe import describe_enum
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
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


describe_enum(
    Limit,
    "Every limit on how often. New values may come.",
    name="LimitName",
    SIGN_IN="Tries to sign in, by the name that is tried.",
    PASSWORD="Tries of the account's password by one who is signed in already.",  # noqa: S106 - a description
    SECOND_FACTOR="Tries of an account's second factor.",
    CODE_TRIES="Tries of a code out of a letter.",
    LETTERS="Letters to one address.",
    EMAIL_CHANGES="Changes of an account's e-mail address that are asked for.",
    SEND_MESSAGE="Messages that an account sends.",
    UPLOAD="Uploads that an account begins.",
    REPORT="Reports that an account files.",
    SIGN_IN_BY_ADDRESS="Tries to sign in, from a network address.",
    REGISTER_BY_ADDRESS="Registrations, of guests too, from a network address.",
    ASK_FOR_LETTER_BY_ADDRESS="Letters with a code that are asked for from a network address.",
    TRY_CODE_BY_ADDRESS="Tries of codes out of letters, from a network address.",
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


@strawberry.type(name="Rate", description="How often something may come. Seen by administrators.")
class ShownRate:
    """See the description."""

    most: int = strawberry.field(description="How many may come at once when nothing is used up.")
    interval_seconds: float = strawberry.field(description="After how many seconds one more may come.")

    @classmethod
    def of(cls, rate: Rate) -> "ShownRate":
        """Show a rate."""
        return cls(most=rate.burst, interval_seconds=rate.interval.total_seconds())


@strawberry.type(
    description="How a limit stands. Those by network address are multiplied by RATE_LIMIT_FACTOR of the server, which"
    " is not in these numbers. Seen by administrators."
)
class LimitSetting:
    """See the description."""

    name: Limit = strawberry.field(description="Which limit.")
    rate: ShownRate = strawberry.field(description="As it is now; every node follows a change within seconds.")
    built_in: ShownRate = strawberry.field(description="As it is while nobody changes it.")
    strictest: ShownRate = strawberry.field(description="The least that it can be made.")
    loosest: ShownRate = strawberry.field(description="The most that it can be made.")
    changed_at: Moment | None = strawberry.field(description="When it was changed; null while it is the built-in one.")

    @classmethod
    def of(cls, setting: limits.LimitSetting) -> "LimitSetting":
        """Show a setting."""
        return cls(
            name=setting.limit,
            rate=ShownRate.of(setting.rate),
            built_in=ShownRate.of(RATES[setting.limit]),
            strictest=ShownRate.of(strictest(setting.limit)),
            loosest=ShownRate.of(loosest(setting.limit)),
            changed_at=Moment(setting.changed_at) if setting.changed_at else None,
        )


@strawberry.input(description="How often something may come.")
class RateInput:
    """See the description."""

    most: int = strawberry.field(
        description="How many may come at once when nothing is used up: a tenth to ten times the built-in number."
    )
    interval_seconds: float = strawberry.field(
        description="After how many seconds one more may come: a tenth to ten times the built-in ones."
    )


@strawberry.input(description="Another rate for a limit.")
class SetLimitInput:
    """See the description."""

    name: Limit = strawberry.field(description="Which limit.")
    rate: RateInput | None = strawberry.field(
        description="Its new rate; null or left out: the built-in one.", default=None
    )
    reason: str = strawberry.field(description="Why, 1 to 500 characters; written to the audit log.")


@strawberry.type(description="A limit after the change. Seen by administrators.")
class SetLimitPayload:
    """See the description."""

    limit: LimitSetting | None = strawberry.field(description="Null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
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

    @query(Right.ADMINISTER)
    async def limits(self, door: Reading) -> list[LimitSetting]:
        """Every limit on how often, in a fixed order, with its rate and the bounds of it."""
        return [LimitSetting.of(setting) for setting in await limits.settings(door.session)]


@strawberry.type
class LimitMutations:
    """Root fields of administrators that change limits. Each is written to the audit log."""

    @mutation(Right.ADMINISTER)
    async def set_limit(self, door: Writing, input: SetLimitInput) -> SetLimitPayload:
        """Give a limit another rate, or the built-in one again; every node follows within seconds.

        What keeps secrets from being guessed (SIGN_IN, PASSWORD, SECOND_FACTOR, CODE_TRIES) cannot be made looser than
        it is built in.
        """
        setting = await limits.set_limit(
            door.session,
            door.viewer,
            limit=input.name,
            rate=(input.rate.most, input.rate.interval_seconds) if input.rate else None,
            reason=input.reason,
        )
        return SetLimitPayload(limit=LimitSetting.of(setting))
