// Sends queries and mutations with Apollo Client as docs/clients.md makes it, and tells what went over the wire.
import { gql } from '@apollo/client';

const given = JSON.parse(process.argv[2]);
const { Session } = await import(`${given.programs}/session.mjs`);
const { makeApollo } = await import(`${given.programs}/apollo.mjs`);

const tell = (what) => console.log(JSON.stringify(what));
const session = new Session(given.url, given.tokens, () => tell({ kind: 'refreshed' }));

async function watchedFetch(url, options) {
  const response = await fetch(url, options);
  const sent = options.method === 'GET' ? Object.fromEntries(new URL(url).searchParams) : JSON.parse(options.body);
  const { errors } = await response.clone().json();
  tell({ kind: 'sent', method: options.method, hasText: Boolean(sent.query), status: response.status, code: errors?.[0].extensions.code });
  return response;
}

const apollo = makeApollo(session, { fetch: watchedFetch, useGETForHashedQueries: given.method === 'GET' });
const query = gql`query Me($count: Int) { viewer { user { id username } chats(first: $count) { nodes { id } } } }`;
for (let time = 0; time < 2; time += 1) {
  const { data } = await apollo.query({ query, variables: { count: 1 }, fetchPolicy: 'network-only' });
  tell({ kind: 'data', data });
}
const { data } = await apollo.mutate({
  mutation: gql`mutation Rename($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code } } }`,
  variables: { input: { bio: 'from Apollo' } },
});
tell({ kind: 'mutated', data });
await apollo.query({ query: gql`query Wrong { teammates(first: 1000) { nodes { id } } }` }).catch((problem) => {
  tell({ kind: 'problem', name: problem.name, code: problem.errors?.[0].extensions.code });
});
process.exit();
