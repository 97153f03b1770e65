// What the built GraphiQL page and its fallback share: the page's configuration, where tabs are kept, how operations travel.

const STORAGE_PREFIX = 'gamebuddy:';
const TAB_KEYS = ['tabState', 'query', 'variables', 'headers'];
const NEW_UUID = '$uuid';
const TOKEN_EXPIRED = 4403;

/** Read the JSON block that the server put into the page. */
export function readConfig() {
  return JSON.parse(document.getElementById('graphiql-config').textContent);
}

/** The properties of GraphiQL that do not depend on its version. */
export function editorProps(config, { createClient, parse }) {
  const defaultHeaders = config.headers ? JSON.stringify(config.headers, null, 2) : undefined;
  const storage = makeStorage(fingerprint(JSON.stringify(config.tabs)));
  const isFirstVisit = storage.getItem('graphiql:tabState') === null;
  return {
    fetcher: makeFetcher(new URL(config.endpoint, location.href), createClient, parse),
    storage,
    // GraphiQL takes everything of the first tab from defaultTabs but its variables.
    initialVariables: isFirstVisit ? config.tabs[0]?.variables : undefined,
    defaultTabs: config.tabs.map((tab) => ({ query: tab.query, variables: tab.variables, headers: defaultHeaders })),
    defaultHeaders,
    defaultEditorToolsVisibility: 'variables',
    isHeadersEditorEnabled: true,
    // Tokens expire and do not belong into local storage: after a reload the headers come from the server again.
    shouldPersistHeaders: false,
  };
}

/** Queries and mutations travel over HTTP, subscriptions over one socket for each set of headers. */
function makeFetcher(endpoint, createClient, parse) {
  const socketAddress = new URL(endpoint);
  socketAddress.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  let client;
  let clientKey;

  function clientFor(headers) {
    const key = JSON.stringify(headers ?? {});
    if (key !== clientKey) {
      client?.dispose();
      clientKey = key;
      client = createClient({
        url: socketAddress.href,
        connectionParams: headers,
        retryAttempts: 1,
        shouldRetry: (problem) => problem?.code === TOKEN_EXPIRED,
      });
    }
    return client;
  }

  return (request, options) => {
    const headers = options?.headers;
    const operation = chosenOperation(request, parse);
    const params = {
      ...request,
      operationName: operation?.name?.value,
      variables: withNewUuids(request.variables),
    };
    return operation?.operation === 'subscription'
      ? overSocket(clientFor(headers), params)
      : overHttp(endpoint, params, headers);
  };
}

async function overHttp(endpoint, params, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The server answered ${response.status} ${response.statusText} without JSON.`);
  }
}

function overSocket(client, params) {
  return {
    subscribe(observer) {
      const unsubscribe = client.subscribe(params, {
        next: (result) => observer.next(result),
        error(problem) {
          observer.next({ errors: describe(problem) });
          observer.complete();
        },
        complete: () => observer.complete(),
      });
      return { unsubscribe };
    },
  };
}

function describe(problem) {
  if (Array.isArray(problem)) return problem;
  if (typeof problem?.code === 'number') {
    const { code, reason } = problem;
    return [{ message: `The socket was closed: ${code} ${reason || 'without a reason'}`, extensions: { code, reason } }];
  }
  return [{ message: problem?.message || 'The socket could not be opened.' }];
}

/**
 * GraphiQL tells an operation name and a document of its own, but for some tenths of a second after a change of tabs they are
 * those of the tab before: only the text counts.
 */
function chosenOperation({ query, operationName }, parse) {
  let document;
  try {
    document = parse(query);
  } catch {
    // The server's own words about a syntax error are worth seeing.
    return undefined;
  }
  const operations = document.definitions.filter((definition) => definition.kind === 'OperationDefinition');
  return operations.find((operation) => operation.name?.value === operationName) ?? operations[0];
}

/** A `clientId` must differ from message to message: "$uuid" as the value of a variable becomes a new one at each run. */
function withNewUuids(value) {
  if (value === NEW_UUID) return newUuid();
  if (Array.isArray(value)) return value.map(withNewUuids);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withNewUuids(inner)]));
  }
  return value;
}

// crypto.randomUUID exists only on https and loopback pages.
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * Local storage under names of our own, because another GraphiQL may have run at the same address. Open tabs belong to one
 * set of ready-made tabs: when the server brings others (a new version, another database), they are shown.
 */
function makeStorage(tabsVersion) {
  const tabsPrefix = `${STORAGE_PREFIX}tabs:`;
  const currentTabs = `${tabsPrefix}${tabsVersion}:`;
  const own = () => Object.keys(localStorage).filter((name) => name.startsWith(STORAGE_PREFIX));
  const nameOf = (key) => (TAB_KEYS.includes(key.replace('graphiql:', '')) ? currentTabs : STORAGE_PREFIX) + key;
  own()
    .filter((name) => name.startsWith(tabsPrefix) && !name.startsWith(currentTabs))
    .forEach((name) => localStorage.removeItem(name));
  return {
    get length() {
      return own().length;
    },
    getItem: (key) => localStorage.getItem(nameOf(key)),
    setItem: (key, value) => localStorage.setItem(nameOf(key), value),
    removeItem: (key) => localStorage.removeItem(nameOf(key)),
    clear: () => own().forEach((name) => localStorage.removeItem(name)),
  };
}

// FNV-1a: a short name for a set of tabs, no secret.
function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
