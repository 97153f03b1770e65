// GraphQL Yoga with graphql-ws, set up as its guide says, and its own publisher.
import { createServer } from 'node:http'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema, createYoga } from 'graphql-yoga'
import { WebSocketServer } from 'ws'
import { listen, port, resolvers, typeDefs } from './common.mjs'

const pubsub = createPubSub()
const chatEvents = { subscribe: (_, { chatId }) => pubsub.subscribe('chat', chatId), resolve: (event) => event }
const schema = createSchema({ typeDefs, resolvers: { ...resolvers, Subscription: { chatEvents } } })
const yoga = createYoga({ schema, logging: false, graphiql: { subscriptionsProtocol: 'WS' } })
const server = createServer(yoga)
const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint })
useServer(
  {
    execute: (given) => given.rootValue.execute(given),
    subscribe: (given) => given.rootValue.subscribe(given),
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params,
      })
      const given = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      }
      const errors = validate(given.schema, given.document)
      return errors.length ? errors : given
    },
  },
  sockets,
)
await listen((event) => pubsub.publish('chat', event.chatId, event))
server.listen(port, '127.0.0.1')
