// Runs the audits of the npm package graphql-http against a server and prints their results as one line of JSON.
const { serverAudits } = require('graphql-http');

const [url, key] = process.argv.slice(2);

// Like a client, every request shows the key; nothing else is changed.
const fetchFn = (address, options = {}) =>
  fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } });

async function main() {
  const results = [];
  for (const audit of serverAudits({ url, fetchFn })) {
    const { id, name, status, reason } = await audit.fn();
    results.push({ id, name, status, reason });
  }
  console.log(JSON.stringify(results));
}

main();
