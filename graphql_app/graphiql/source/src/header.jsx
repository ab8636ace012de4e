// The bar above GraphiQL: whose page this is, which application it speaks to, the API key and how it fares.
import { useEffect, useRef, useState } from 'react';
import { readableEndpoint } from './address.js';
import { STATES } from './states.js';

function Mark() {
  return (
    <svg className="oc-mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0f6e84" />
      <path d="M21.5 10.2A8 8 0 1 0 21.5 21.8" fill="none" stroke="#fff" strokeWidth="3.4" strokeLinecap="round" />
      <circle cx="23.4" cy="16" r="2.6" fill="#ffc857" />
    </svg>
  );
}

function KeyField({ apiKey, onEnter, onForget }) {
  const [draft, setDraft] = useState(apiKey);
  const field = useRef(null);
  useEffect(() => setDraft(apiKey), [apiKey]);
  useEffect(() => {
    if (!apiKey) {
      field.current?.focus();
    }
  }, [apiKey]);

  function submit(event) {
    event.preventDefault();
    onEnter(draft);
  }

  return (
    <form className="oc-key" onSubmit={submit}>
      <label htmlFor="api-key">API key</label>
      {/* No name attribute and no password manager: the key must not be submitted or saved by the browser. */}
      <input
        id="api-key"
        ref={field}
        type="password"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        placeholder="paste a key"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        data-1p-ignore=""
        data-lpignore="true"
      />
      <button type="submit" className="oc-primary" disabled={!draft.trim()}>
        {apiKey && draft === apiKey ? 'Reload' : 'Use key'}
      </button>
      {apiKey && (
        <button type="button" onClick={onForget}>
          Forget
        </button>
      )}
    </form>
  );
}

export function Header({ state, apiKey, onEnter, onForget }) {
  const { tone, chip } = STATES[state];
  return (
    <header className="oc-header">
      <span className="oc-brand">
        <Mark />
        OpenCaaS
      </span>
      <code className="oc-address" title={`Queries are posted to ${location.origin}${readableEndpoint}`}>
        {readableEndpoint}
      </code>
      <span className={`oc-chip oc-${tone}`} data-state={state}>
        {chip}
      </span>
      <KeyField apiKey={apiKey} onEnter={onEnter} onForget={onForget} />
    </header>
  );
}

export function Notice({ state, detail }) {
  const { tone, title, text } = STATES[state];
  return (
    <div className="oc-notices" role={tone === 'bad' ? 'alert' : 'status'}>
      {title && (
        <p className={`oc-notice oc-${tone}`}>
          <strong>{title}</strong> {text}
          {detail && <span className="oc-detail"> The server says: {detail}</span>}
        </p>
      )}
    </div>
  );
}
