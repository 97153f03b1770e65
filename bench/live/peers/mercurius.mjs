// Mercurius on Fastify, with its own publisher.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { listen, port, resolvers, typeDefs } from './common.mjs'

const app = Fastify()
const chatEvents = { subscribe: (_, { chatId }, { pubsub }) => pubsub.subscribe(chatId) }
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Event: { resolveType: (event) => event.kind }, Query: resolvers.Query, Subscription: { chatEvents } },
  subscription: true,
})
await app.ready()
await listen((event) => app.graphql.pubsub.publish({ topic: event.chatId, payload: { chatEvents: event } }))
await app.listen({ port, host: '127.0.0.1' })
