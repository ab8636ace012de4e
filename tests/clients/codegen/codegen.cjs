// Address and key come from the environment.
const { GRAPHQL_URL, CAAS_API_KEY } = process.env;

module.exports = {
  schema: [{ [GRAPHQL_URL]: { headers: { Authorization: `Bearer ${CAAS_API_KEY}` } } }],
  documents: "queries.graphql",
  generates: {
    "types.ts": { plugins: ["typescript", "typescript-operations"] },
  },
};
