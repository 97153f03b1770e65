"""The only GraphQL."""
