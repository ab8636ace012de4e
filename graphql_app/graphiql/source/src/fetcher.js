// Posts operations to this page's own address and makes something readable of every kind of answer: GraphQL results,
// the REST interface's error bodies, empty bodies, and pages that something in between has put there.
import { endpoint } from './address.js';
import { parseExactly } from './json.js';
import { STATES, stateOfStatus } from './states.js';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isGraphQL = (value) => isObject(value) && ('data' in value || Array.isArray(value.errors));

function failure(message, extensions) {
  return { errors: [{ message, ...(extensions && { extensions }) }] };
}

function describe(state) {
  const { title, text } = STATES[state];
  return `${title} ${text}`;
}

async function post(operation, key) {
  return fetch(endpoint, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(operation),
    cache: 'no-store',
    // Neither cookies nor the browser's own login window: the key is the only identity of this page.
    credentials: 'omit',
    redirect: 'error',
  });
}

/** A result in GraphQL's form for any answer of the server. */
function shapeResult(response, text) {
  const { status, statusText } = response;
  let body;
  try {
    body = parseExactly(text);
  } catch {
    body = undefined;
  }
  if (isGraphQL(body)) {
    return body;
  }
  const state = stateOfStatus(status);
  if (state) {
    return failure(describe(state), { status });
  }
  if (isObject(body) && typeof body.message === 'string') {
    return failure(body.message, { status });
  }
  const type = response.headers.get('Content-Type') ?? 'no content type';
  const what = text ? `not a GraphQL result (${type})` : 'empty';
  return failure(`The server answered ${[status, statusText].filter(Boolean).join(' ')}, and the answer is ${what}.`, {
    status,
  });
}

/** How the connection stands after an answer; null = this answer does not tell. */
function readState(response, result, introspects) {
  const state = stateOfStatus(response.status);
  if (state) {
    return state;
  }
  if (!introspects) {
    return null;
  }
  if (result.data?.__schema) {
    return 'ready';
  }
  return response.status >= 500 ? 'failing' : 'undisclosed';
}

/**
 * Make the function that GraphiQL calls with each operation.
 *
 * `report` hears how the connection stands: a name of STATES, and a detail where the server gave one. A failed
 * introspection rejects, because GraphiQL would otherwise ask a second time.
 */
export function createFetcher({ key, report }) {
  return async (operation) => {
    const introspects = operation.operationName === 'IntrospectionQuery';
    if (!key) {
      return failure(STATES.keyless.title);
    }
    let response;
    let text;
    try {
      if (introspects) {
        report('loading');
      }
      response = await post(operation, key);
      text = await response.text();
    } catch {
      report('unreachable');
      return rejectOrReturn(introspects, failure(describe('unreachable')));
    }
    const result = shapeResult(response, text);
    const state = readState(response, result, introspects);
    if (state) {
      const detail = state === 'undisclosed' || state === 'failing' ? result.errors?.[0]?.message : undefined;
      report(state, detail);
    }
    return rejectOrReturn(introspects && state !== 'ready', result);
  };
}

function rejectOrReturn(rejects, result) {
  if (rejects) {
    throw result.errors ?? failure('The server answered the introspection without a schema.').errors;
  }
  return result;
}
