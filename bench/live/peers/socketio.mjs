// socket.io with rooms, over WebSocket only.
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { listen, port } from './common.mjs'

const server = createServer()
const io = new Server(server, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => socket.on('join', (chatId) => socket.join(chatId)))
await listen((event) => io.to(event.chatId).emit('event', event))
server.listen(port, '127.0.0.1')
