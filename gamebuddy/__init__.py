"""GameBuddy: a GraphQL server for people who look for teammates for online games."""
