// What the page says about its connection, in words for people: one entry per situation.
import { readableEndpoint } from './address.js';

const app = readableEndpoint.replace(/^\/graphql\//, '');

/** Situations the page can be in; `tone` colours them, `chip` is the short form in the header. */
export const STATES = {
  keyless: {
    tone: 'info',
    chip: 'No key',
    title: 'Enter an API key to begin.',
    text: 'The schema, its documentation and the explorer load as soon as a key is set. The key stays in this browser tab and goes to this server only. The server’s administrator hands out keys; “opencaas demo” writes one to demo.json in its data directory, as read_api_key.',
  },
  loading: { tone: 'info', chip: 'Loading schema…' },
  ready: { tone: 'good', chip: 'Schema loaded' },
  unreadable: {
    tone: 'bad',
    chip: 'No key',
    title: 'This is not an API key.',
    text: 'A key has neither spaces nor letters beyond plain ASCII. Copy it again, without anything around it.',
  },
  refused: {
    tone: 'bad',
    chip: 'Key not accepted',
    title: 'The server does not accept this API key.',
    text: 'It may be incomplete, deleted, or made for another tenant. Enter another one.',
  },
  forbidden: {
    tone: 'bad',
    chip: 'Not allowed',
    title: 'This API key may not query this application.',
    text: `It is valid, but lacks a permission of mode GRAPHQL for “${app}” that includes POST. Enter another key, or ask the server’s administrator for the permission.`,
  },
  missing: {
    tone: 'bad',
    chip: 'No application',
    title: 'There is no application at this address.',
    text: `No application “${app}” is deployed, or it is switched off. Check the tenant and the application in this page’s address.`,
  },
  undisclosed: {
    tone: 'warn',
    chip: 'No schema',
    title: 'The application does not tell its schema.',
    text: 'Introspection is off, or was refused. Queries run all the same, without documentation, explorer and completion.',
  },
  unreachable: {
    tone: 'bad',
    chip: 'No connection',
    title: 'The server does not answer.',
    text: 'It may be stopped or starting, or the network is down. Try again with “Reload”.',
  },
  failing: {
    tone: 'bad',
    chip: 'Server error',
    title: 'The server failed to answer.',
    text: 'Try again with “Reload”; if it stays, the server’s log says more.',
  },
};

/** The situation that an HTTP status stands for, null where the status says nothing about the connection. */
export function stateOfStatus(status) {
  switch (status) {
    case 401:
      return 'refused';
    case 403:
      return 'forbidden';
    case 404:
      return 'missing';
    default:
      return null;
  }
}
