"""The domain: rules and SQL. Knows no GraphQL and no HTTP."""
