// The query that a newcomer finds in the editor: an explanation before the schema is known, a running example after.
import { useEditorContext, useSchemaStore } from '@graphiql/react';
import { getNamedType, isInterfaceType, isLeafType, isListType, isNonNullType, isObjectType, isRequiredArgument } from 'graphql';
import { useEffect, useRef } from 'react';

const WORDS = `# Ctrl-Enter runs, Ctrl-Space completes.
# The left bar has the documentation, and
# the explorer: it builds queries by ticking.
`;

/** The first query, before any schema is known. Every application can answer it. */
export const WELCOME_QUERY = `# Enter an API key above, and an example
# for this application appears here.
#
${WORDS}
query Start {
  __typename
}
`;

const LEAVES = 5;

const isFree = (field) => !field.args.some(isRequiredArgument);

function isList(type) {
  return isNonNullType(type) ? isList(type.ofType) : isListType(type);
}

function readLeaves(type) {
  if (!isObjectType(type) && !isInterfaceType(type)) {
    return [];
  }
  return Object.values(type.getFields())
    .filter((field) => isFree(field) && isLeafType(getNamedType(field.type)) && !field.deprecationReason)
    .map((field) => field.name)
    .slice(0, LEAVES);
}

// Lists of objects first: they need no knowledge of ids and nearly always find something.
function rank(field) {
  const type = getNamedType(field.type);
  return (isLeafType(type) ? 4 : 0) + (readLeaves(type).length ? 0 : 2) + (isList(field.type) ? 0 : 1);
}

/** An example that runs as it stands; null where the schema offers none. */
export function buildStarterQuery(schema) {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(isFree);
  const field = fields.toSorted((left, right) => rank(left) - rank(right))[0];
  if (!field) {
    return null;
  }
  const type = getNamedType(field.type);
  const limit = field.args.find((argument) => argument.name === 'limit' && getNamedType(argument.type).name === 'Int');
  const head = `  ${field.name}${limit ? '(limit: 5)' : ''}`;
  const body = isLeafType(type)
    ? head
    : [`${head} {`, ...['__typename', ...readLeaves(type)].map((name) => `    ${name}`), '  }'].join('\n');
  return `${WORDS}\nquery Start {\n${body}\n}\n`;
}

/** Puts the example in place of the welcome as soon as there is a schema, unless somebody has typed. */
export function Starter() {
  const { queryEditor, responseEditor } = useEditorContext({ nonNull: true });
  const { schema, fetchError } = useSchemaStore();
  const shownError = useRef(null);
  useEffect(() => {
    const starter = schema && buildStarterQuery(schema);
    if (starter && queryEditor?.getValue() === WELCOME_QUERY) {
      queryEditor.setValue(starter);
    }
  }, [schema, queryEditor]);
  // GraphiQL shows a failed introspection in the answer pane, and leaves it there when the next one succeeds.
  useEffect(() => {
    if (!fetchError && shownError.current && responseEditor?.getValue() === shownError.current) {
      responseEditor.setValue('');
    }
    shownError.current = fetchError;
  }, [fetchError, responseEditor]);
  return null;
}
