"""Accounts in the schema: what goes in, what comes out, and the root fields."""

from gamebuddy.schema.accounts.roots import AccountMutations, RecoveryMutations
from gamebuddy.schema.accounts.second_factor import SecondFactorMutations

__all__ = ["AccountMutations", "RecoveryMutations", "SecondFactorMutations"]
