// Signs the reader in, in development: fills the headers of every tab whose headers nobody has changed by hand.
import { useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';

const MUTATION = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { tokens { accessToken } userErrors { message } }
}`;

/** Make the plugin, and what keeps the tabs signed in; `config.signIn` has the accounts with known passwords. */
export function makeSignIn(config, initialHeaders = '') {
  // What stands in an editor and was put there by this page may be replaced by it.
  const ownHeaders = new Set(['', initialHeaders]);
  let headers = initialHeaders;

  function SignedIn() {
    const editor = useGraphiQL((state) => state.headerEditor);
    const tab = useGraphiQL((state) => state.activeTabIndex);
    useEffect(() => {
      if (editor && editor.getValue() !== headers && ownHeaders.has(editor.getValue())) editor.setValue(headers);
    }, [editor, tab]);
    return null;
  }

  function Content() {
    const editor = useGraphiQL((state) => state.headerEditor);
    const [state, setState] = useState('');

    async function signIn(login, password) {
      setState('Signing in …');
      try {
        headers = JSON.stringify({ Authorization: `Bearer ${await getToken(config.endpoint, login, password)}` }, null, 2);
        ownHeaders.add(headers);
        editor.setValue(headers);
        setState(`Signed in as ${login}, for ten minutes.`);
      } catch (problem) {
        setState(problem.message);
      }
    }

    return (
      <section className="gamebuddy-sign-in" aria-label="Sign in">
        <h3>Sign in</h3>
        {config.signIn.accounts.map(({ username, password, about }) => (
          <button key={username} type="button" className="graphiql-button" onClick={() => signIn(username, password)}>
            {username} <small>{about}</small>
          </button>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const { login, password } = event.target.elements;
            signIn(login.value, password.value);
          }}
        >
          <input name="login" placeholder="User name or e-mail" aria-label="User name or e-mail" autoComplete="username" />
          <input name="password" type="password" placeholder="Password" aria-label="Password" autoComplete="off" />
          <button type="submit" className="graphiql-button">
            Sign in
          </button>
        </form>
        <p role="status">{state}</p>
      </section>
    );
  }

  return { plugin: { title: 'Sign in', icon: Key, content: Content }, SignedIn };
}

async function getToken(endpoint, login, password) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ query: MUTATION, variables: { input: { login, password, deviceName: 'GraphiQL' } } }),
  });
  const { data, errors } = await response.json();
  const problem = errors?.[0] ?? data.signIn.userErrors[0];
  if (problem) throw new Error(problem.message);
  return data.signIn.tokens.accessToken;
}

function Key() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
      <circle cx="8" cy="12" r="4" />
      <path d="M12 12h9m-3 0v3m-3-3v2" />
    </svg>
  );
}
