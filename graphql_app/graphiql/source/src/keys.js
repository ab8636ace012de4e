// The API key lives in sessionStorage alone: it ends with the browser tab and never reaches a URL or the disk.
import { endpoint } from './address.js';

// One entry per address, so that a key is never sent to an application it was not entered for.
const ENTRY = `opencaas:api-key:${endpoint}`;

// Where a browser refuses sessionStorage (all site data blocked), the key lives as long as the page.
let unstored = '';

/** Read the key of this tab, '' when there is none. */
export function readKey() {
  try {
    return sessionStorage.getItem(ENTRY) ?? '';
  } catch {
    return unstored;
  }
}

/** Keep a key for this tab; '' forgets it. */
export function keepKey(key) {
  unstored = key;
  try {
    if (key) {
      sessionStorage.setItem(ENTRY, key);
    } else {
      sessionStorage.removeItem(ENTRY);
    }
  } catch {
    // Blocked storage: `unstored` has it.
  }
}

/** Undo what copying often brings along: white space, quotes and the header's own words. */
export function cleanKey(text) {
  return text
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^bearer\s+/i, '')
    .replace(/^apikey\s*=\s*/i, '')
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
}

/** True where the text can travel in a header: visible ASCII without spaces. */
export function isSendable(key) {
  return /^[\x21-\x7e]+$/.test(key);
}
