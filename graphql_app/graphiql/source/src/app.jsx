// GraphiQL with the key bar above it: one key, one fetcher, one state of the connection.
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL } from 'graphiql';
import { useCallback, useMemo, useRef, useState } from 'react';
import { createFetcher } from './fetcher.js';
import { Header, Notice } from './header.jsx';
import { cleanKey, isSendable, keepKey, readKey } from './keys.js';
import { Starter, WELCOME_QUERY, buildStarterQuery } from './starter.js';
import { storage } from './storage.js';

const PLUGINS = [{ ...explorerPlugin({ showAttribution: false }), title: 'Explorer' }];

/** The key in use and how the connection stands. `round` grows with every key, so that late answers are known as such. */
function useConnection() {
  const [connection, setConnection] = useState(() => {
    const key = readKey();
    return { key, round: 0, state: key ? 'loading' : 'keyless', detail: undefined };
  });
  const current = useRef(connection.round);

  const start = useCallback((key, state) => {
    keepKey(key);
    current.current += 1;
    setConnection({ key, round: current.current, state, detail: undefined });
  }, []);

  const report = useCallback((round, state, detail) => {
    if (round === current.current) {
      setConnection((before) => ({ ...before, state, detail }));
    }
  }, []);

  return { connection, start, report };
}

export function App() {
  const { connection, start, report } = useConnection();
  const { key, round, state, detail } = connection;
  const [defaultQuery, setDefaultQuery] = useState(WELCOME_QUERY);

  const fetcher = useMemo(
    () => createFetcher({ key, report: (...news) => report(round, ...news) }),
    [key, round, report],
  );

  const enter = useCallback(
    (text) => {
      const cleaned = cleanKey(text);
      if (isSendable(cleaned)) {
        start(cleaned, 'loading');
      } else {
        start('', 'unreadable');
      }
    },
    [start],
  );
  const forget = useCallback(() => start('', 'keyless'), [start]);
  const adoptSchema = useCallback((schema) => setDefaultQuery(buildStarterQuery(schema) ?? WELCOME_QUERY), []);

  return (
    <>
      <Header state={state} apiKey={key} onEnter={enter} onForget={forget} />
      <Notice state={state} detail={detail} />
      <main className="oc-main">
        <GraphiQL
          fetcher={fetcher}
          // null keeps GraphiQL from asking for the schema while there is nothing to ask with.
          schema={key ? undefined : null}
          onSchemaChange={adoptSchema}
          schemaDescription
          inputValueDeprecation
          plugins={PLUGINS}
          storage={storage}
          defaultQuery={defaultQuery}
          defaultEditorToolsVisibility="variables"
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
        >
          <GraphiQL.Logo>
            <Starter />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}
