import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';

import { editorProps, readConfig } from '../../gamebuddy/static/explorer/editor.js';

const config = readConfig();

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    {...editorProps(config, { createClient, parse })}
    plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <a className="gamebuddy-logo" href={config.home}>
        {config.title}
      </a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
