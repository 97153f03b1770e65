// GraphiQL from a content delivery network, for a checkout where the page in explorer/ has not been built.
import { editorProps, readConfig } from './editor.js';

const { GraphiQL, React, ReactDOM, graphqlWs } = window;
const container = document.getElementById('graphiql');

if (GraphiQL && React && ReactDOM && graphqlWs) {
  const { createClient } = graphqlWs;
  const { parse } = GraphiQL.GraphQL;
  const props = editorProps(readConfig(), { createClient, parse });
  ReactDOM.createRoot(container).render(React.createElement(GraphiQL, { ...props, inputValueDeprecation: true }));
} else {
  container.textContent = 'GraphiQL could not be loaded. Check the connection to the internet, or build the page in explorer/.';
}
