"""Operations are executed by plans that are made once. Why: docs/decisions/0032-a-plan-for-each-operation.md."""

from gamebuddy.schema.plans.execution import PlannedExecution
from gamebuddy.schema.plans.planning import Plans

__all__ = ["PlannedExecution", "Plans"]
