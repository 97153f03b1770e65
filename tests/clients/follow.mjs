// Follows events by the programs of docs/clients.md, one way of four, and tells each event, refresh and problem.
import { parse } from 'graphql';
import { WebSocket } from 'ws';

const given = JSON.parse(process.argv[2]);
const { Session } = await import(`${given.programs}/session.mjs`);
const { follow } = await import(`${given.programs}/follow.mjs`);

globalThis.WebSocket ??= WebSocket; // Node has one of its own from version 22 on

const tell = (what) => console.log(JSON.stringify(what));
const session = new Session(given.url, given.tokens, () => tell({ kind: 'refreshed' }));

const ways = {
  async 'graphql-ws'(query) {
    const { connect, overGraphqlWs } = await import(`${given.programs}/over-graphql-ws.mjs`);
    return overGraphqlWs(connect(session), query);
  },
  async 'graphql-sse'(query) {
    const { connect, overGraphqlSse } = await import(`${given.programs}/over-graphql-sse.mjs`);
    return overGraphqlSse(session, connect(session), query);
  },
  async 'apollo-ws'(query) {
    const { connect } = await import(`${given.programs}/over-graphql-ws.mjs`);
    const { makeApollo, overApollo } = await import(`${given.programs}/apollo.mjs`);
    return overApollo(makeApollo(session, { socket: connect(session) }), parse(query));
  },
  async 'apollo-multipart'(query) {
    const { makeApollo, overApollo } = await import(`${given.programs}/apollo.mjs`);
    return overApollo(makeApollo(session), parse(query));
  },
};

const fromNewest = await ways[given.way](given.query);
// One who never moves on is sent everything again after each cut.
const open = (after) => {
  tell({ kind: 'opened', isResumed: after !== given.after });
  return fromNewest(given.staysAt ?? after);
};

try {
  for await (const event of follow(session, open, given.after)) {
    tell({ kind: 'event', type: event.__typename, id: event.id, text: event.message?.text });
  }
  tell({ kind: 'over' });
} catch (problem) {
  const [first] = Array.isArray(problem) ? problem : (problem.errors ?? []);
  tell({ kind: 'problem', name: problem.constructor.name, code: first?.extensions?.code });
}
process.exit();
