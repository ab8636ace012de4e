// Builds ../assets from this folder: one script, one style sheet, the icon, the licences of everything bundled, and the
// manifest that graphql_app/graphiql reads. Names carry a hash of their content; the manifest also carries the hash of
// the sources, so that a test can tell when somebody edits these without building.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = dirname(fileURLToPath(import.meta.url));
const ASSETS = resolve(SOURCE, process.argv[2] ?? '../assets');
const URL_PREFIX = '/graphql/_graphiql/';
const MEDIA_TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

const sha256 = (content) => createHash('sha256').update(content).digest('hex');

// GraphiQL's style sheet brings 34 web fonts inside; the page uses the system's.
const withoutFonts = {
  name: 'without-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/@font-face\s*\{[^}]*\}/g, ''),
      loader: 'css',
    }));
  },
};

// Pictures that content names would be requested from whatever host they are on: when the pointer rests on their address
// in an answer, and when a description shows one. The content security policy forbids it; the page does not even try.
const withoutForeignPictures = {
  name: 'without-foreign-pictures',
  setup({ onLoad }) {
    onLoad({ filter: /@graphiql[\\/]react[\\/]dist[\\/]editor[\\/]components[\\/]image-preview\.js$/ }, () => ({
      contents: 'export const ImagePreview = Object.assign(() => null, { shouldRender: () => false });',
    }));
    onLoad({ filter: /@graphiql[\\/]react[\\/]dist[\\/]markdown\.js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, 'utf8')}\nmarkdown.disable('image');\n`,
    }));
  },
};

// The explorer asks for graphql-js by require(): esbuild would take the CommonJS build for everybody, which it cannot prune.
const modularGraphQL = {
  name: 'modular-graphql',
  setup({ onResolve, resolve: resolveLike }) {
    onResolve({ filter: /^graphql$/ }, ({ kind, path, resolveDir }) =>
      kind === 'require-call' ? resolveLike(path, { kind: 'import-statement', resolveDir }) : undefined,
    );
  },
};

async function bundle() {
  const { metafile, outputFiles } = await build({
    absWorkingDir: SOURCE,
    entryPoints: { graphiql: 'src/main.jsx' },
    outdir: 'out',
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    banner: { js: '/*! licences: see the page\'s link rel="license" */' },
    plugins: [withoutFonts, withoutForeignPictures, modularGraphQL],
  });
  const script = outputFiles.find((file) => file.path.endsWith('.js'));
  const style = outputFiles.find((file) => file.path.endsWith('.css'));
  return { script: script.contents, style: style.contents, inputs: Object.keys(metafile.inputs) };
}

/** Folders of the packages that the bundle took something from. */
function readPackages(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input.replace(/^.*?:/, ''));
    if (match) {
      folders.add(match[1]);
    }
  }
  return [...folders];
}

async function renderLicenses(inputs) {
  const packagesByText = new Map();
  for (const folder of readPackages(inputs)) {
    const { name, version, license, author } = JSON.parse(await readFile(join(SOURCE, folder, 'package.json'), 'utf8'));
    const files = (await readdir(join(SOURCE, folder))).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(SOURCE, folder, file), 'utf8')));
    const holder = typeof author === 'string' ? author : author?.name;
    const text = texts.length
      ? texts.map((one) => one.replaceAll('\r\n', '\n').trim()).join('\n\n')
      : `No licence file in the package; its package.json says "${license}"${holder ? `, by ${holder}` : ''}.`;
    packagesByText.set(text, [...(packagesByText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const entries = [...packagesByText].map(([text, packages]) => ({ title: packages.sort().join('\n'), text }));
  entries.sort((left, right) => (left.title < right.title ? -1 : 1));
  const rule = '='.repeat(100);
  const head = 'The GraphiQL page of OpenCaaS contains the following packages, in whole or in part.\n';
  return head + entries.map(({ title, text }) => `\n${rule}\n${title}\n${rule}\n\n${text}\n`).join('');
}

async function listSources(folder = SOURCE) {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries
    .filter((entry) => entry.name !== 'node_modules')
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? listSources(path) : [relative(SOURCE, path).split(sep).join('/')];
    });
  return (await Promise.all(nested)).flat().sort();
}

async function hashSources() {
  const lines = (await listSources()).map(async (path) => `${sha256(await readFile(join(SOURCE, path)))}  ${path}\n`);
  return sha256((await Promise.all(lines)).join(''));
}

const { script, style, inputs } = await bundle();
const contents = {
  script: ['graphiql', 'js', script],
  style: ['graphiql', 'css', style],
  icon: ['icon', 'svg', await readFile(join(SOURCE, 'icon.svg'))],
  licenses: ['third-party-licenses', 'txt', Buffer.from(await renderLicenses(inputs))],
};

await rm(ASSETS, { recursive: true, force: true });
await mkdir(ASSETS, { recursive: true });
let page = await readFile(join(SOURCE, 'page.html'), 'utf8');
const assets = [];
for (const [placeholder, [stem, suffix, content]] of Object.entries(contents)) {
  const hash = sha256(content);
  const name = `${stem}-${hash.slice(0, 16)}.${suffix}`;
  // The licences keep one file name, so that a reader of the repository finds them.
  const file = placeholder === 'licenses' ? 'THIRD_PARTY_LICENSES.txt' : name;
  await writeFile(join(ASSETS, file), content);
  assets.push({ name, file, media_type: MEDIA_TYPES[suffix], sha256: hash });
  page = page.replaceAll(`%${placeholder}%`, URL_PREFIX + name);
}
await writeFile(join(ASSETS, 'page.html'), page);
const manifest = { source: await hashSources(), page: { file: 'page.html', media_type: MEDIA_TYPES.html, sha256: sha256(page) }, assets };
await writeFile(join(ASSETS, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
