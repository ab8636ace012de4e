// Drives the published `fsxa-api` package: one JSON order per line comes in, one JSON answer per line goes out.
//
// {"config": {…}, "call": "fetchByFilter", "with": {…}}   a method of FSXARemoteApi
// {"url": "…", "fetch": {"method": "PUT", …}}             a request as the package's own tests send them
import { Console } from 'node:console'
import { createInterface } from 'node:readline'

globalThis.console = new Console(process.stderr) // the package logs; standard output is for answers
const { FSXARemoteApi } = await import('fsxa-api')

async function callPackage({ config, call, with: parameters }) {
  return new FSXARemoteApi(config)[call](parameters)
}

async function request({ url, fetch: options }) {
  const response = await fetch(url, options)
  const text = await response.text()
  return { status: response.status, headers: Object.fromEntries(response.headers), body: text && JSON.parse(text) }
}

// Resolved references make circles; an answer shows where one closes.
function withoutCircles() {
  const above = []
  return function (_name, value) {
    if (typeof value !== 'object' || value === null) return value
    while (above.length && above.at(-1) !== this) above.pop()
    if (above.includes(value)) return `circle to ${value.previewId ?? value.type}`
    above.push(value)
    return value
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  let answer
  try {
    answer = { result: await (order.call ? callPackage(order) : request(order)) }
  } catch (error) {
    answer = { error: { message: error.message, status: error.statusCode ?? null } }
  }
  process.stdout.write(`${JSON.stringify(answer, withoutCircles())}\n`)
}
