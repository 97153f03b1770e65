// The library ws alone: a frame made once for everybody in the chat.
import { WebSocketServer } from 'ws'
import { listen, port } from './common.mjs'

const chats = new Map()
const sockets = new WebSocketServer({ port, host: '127.0.0.1' })
sockets.on('connection', (socket) => {
  socket.once('message', (chatId) => {
    const members = chats.get(`${chatId}`) ?? chats.set(`${chatId}`, new Set()).get(`${chatId}`)
    members.add(socket)
    socket.on('close', () => members.delete(socket))
  })
})
await listen((event, text) => {
  for (const socket of chats.get(event.chatId) ?? []) socket.send(text)
})
