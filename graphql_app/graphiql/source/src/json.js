// JSON without loss: int64 values of documents are wider than JavaScript's numbers. Browsers that know JSON.rawJSON
// (Chromium 114, Firefox 135, Safari 18.4) keep their digits; older ones round them as JavaScript does.
const keepsDigits = typeof JSON.rawJSON === 'function';

function keepWide(_name, value, context) {
  if (typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')) {
    return JSON.rawJSON(context.source);
  }
  return value;
}

/** Parse JSON so that printing it again shows the same integers. */
export function parseExactly(text) {
  return keepsDigits ? JSON.parse(text, keepWide) : JSON.parse(text);
}
