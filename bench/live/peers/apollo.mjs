// Apollo Server with graphql-ws, which its guide to subscriptions names; events come from Yoga's publisher.
import { createServer } from 'node:http'
import { ApolloServer } from '@apollo/server'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema } from 'graphql-yoga'
import { WebSocketServer } from 'ws'
import { listen, port, resolvers, typeDefs } from './common.mjs'

const pubsub = createPubSub()
const chatEvents = { subscribe: (_, { chatId }) => pubsub.subscribe('chat', chatId), resolve: (event) => event }
const schema = createSchema({ typeDefs, resolvers: { ...resolvers, Subscription: { chatEvents } } })
const server = createServer()
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }))
await new ApolloServer({ schema }).start()
await listen((event) => pubsub.publish('chat', event.chatId, event))
server.listen(port, '127.0.0.1')
