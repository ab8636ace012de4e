// Drives the published `fsxa-api` package: one JSON order per line comes in, one JSON answer per line goes out.
//
// {"config": {…}, "call": "fetchByFilter", "with": {…}}   a method of FSXARemoteApi
// {"url": "…", "fetch": {"method": "PUT", …}}             a request as the package's own tests send them
// {"config": {…}, "stream": "name"}                       serve CaaSEventStream and listen to it, as a front end does
// {"heard": "name"}                                       what was heard since
import { Console } from 'node:console'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

globalThis.console = new Console(process.stderr) // the package logs; standard output is for answers
const { CaaSEventStream, FSXARemoteApi } = await import('fsxa-api')

async function callPackage({ config, call, with: parameters }) {
  return new FSXARemoteApi(config)[call](parameters)
}

async function request({ url, fetch: options }) {
  const response = await fetch(url, options)
  const text = await response.text()
  return { status: response.status, headers: Object.fromEntries(response.headers), body: text && JSON.parse(text) }
}

const streams = {}

// The package passes change events on to browsers as server-sent events: a server of ours with its handler, and a client.
async function listen({ config, stream }) {
  const handler = await CaaSEventStream.handler(new FSXARemoteApi(config))
  const server = createServer((incoming, outgoing) => handler(Object.assign(incoming, { query: {} }), outgoing))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const response = await fetch(`http://127.0.0.1:${server.address().port}/change-stream`)
  const events = (streams[stream] = [])
  collect(response.body.pipeThrough(new TextDecoderStream()), events)
  return response.headers.get('content-type')
}

async function collect(chunks, events) {
  let text = ''
  for await (const chunk of chunks) {
    text += chunk
    const parts = text.split('\n\n')
    text = parts.pop()
    for (const part of parts) {
      const data = part.split('\n').filter((line) => line.startsWith('data:'))
      if (data.length) events.push(JSON.parse(data.map((line) => line.slice(5)).join('')))
    }
  }
}

function answerTo(order) {
  if (order.call) return callPackage(order)
  if (order.stream) return listen(order)
  if (order.heard) return streams[order.heard].splice(0)
  return request(order)
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
    answer = { result: await answerTo(order) }
  } catch (error) {
    answer = { error: { message: error.message, status: error.statusCode ?? null } }
  }
  process.stdout.write(`${JSON.stringify(answer, withoutCircles())}\n`)
}
process.exit() // servers and event streams would keep it alive
