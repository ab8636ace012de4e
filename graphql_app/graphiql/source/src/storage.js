// What GraphiQL remembers between visits (tabs, history, pane sizes), kept apart per address: the queries of one
// application make no sense in another. It never sees the API key.
import { endpoint } from './address.js';

const PREFIX = `opencaas:${endpoint}:`;

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}

function isAvailable() {
  try {
    localStorage.getItem(PREFIX);
    return true;
  } catch {
    return false;
  }
}

// null makes GraphiQL remember nothing.
export const storage = isAvailable()
  ? {
      getItem: (name) => localStorage.getItem(PREFIX + name),
      setItem: (name, value) => localStorage.setItem(PREFIX + name, value),
      removeItem: (name) => localStorage.removeItem(PREFIX + name),
      clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
      get length() {
        return ownKeys().length;
      },
    }
  : null;
