// What the GraphQL peers share: the schema of the event, and how they hear of it. Arguments: port, folder of PostgreSQL.
import pg from 'pg'

export const port = Number(process.argv[2])

export const typeDefs = /* GraphQL */ `
  type Author { id: ID! displayName: String! avatarUrl: String }
  type Message { id: ID! text: String! createdAt: String! author: Author! }
  interface Event { id: ID! cursor: String }
  type MessageSent implements Event { id: ID! cursor: String seq: Int! message: Message! }
  type MessageDeleted implements Event { id: ID! cursor: String seq: Int! messageId: ID! }
  type Query { hello: String! }
  type Subscription { chatEvents(chatId: ID!): Event! }
`
export const resolvers = {
  Event: { __resolveType: (event) => event.kind },
  Query: { hello: () => 'hello' },
}

export async function listen(hear) {
  const client = new pg.Client({ host: process.argv[3], user: 'postgres', database: 'postgres' })
  await client.connect()
  client.on('notification', ({ payload }) => hear(JSON.parse(payload), payload))
  await client.query('LISTEN chat')
}
