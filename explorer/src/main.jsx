import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';

import { editorProps, readConfig } from '../../gamebuddy/static/explorer/editor.js';
import { makeSignIn } from './sign-in.jsx';

const config = readConfig();
const props = editorProps(config, { createClient, parse });
const signIn = config.signIn && makeSignIn(config, props.defaultHeaders);

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    {...props}
    plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false }), ...(signIn ? [signIn.plugin] : [])]}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <a className="gamebuddy-logo" href={config.home}>
        {config.title}
      </a>
      {signIn && <signIn.SignedIn />}
    </GraphiQL.Logo>
  </GraphiQL>,
);
