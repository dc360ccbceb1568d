#!/usr/bin/env node
// Builds the page as it is published: node web/page.mjs [folder], by default into artifacts/web/root. The folder is all that a gateway serves:
// the page's hashed, minified files with what compresses them, its small entry, and the client's modules for pages of other origins.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { bundle } from './build.mjs';

const WEB = fileURLToPath(new URL('.', import.meta.url));
/** Served beside the page under names of their own. */
const COPIED = ['favicon.svg', 'manifest.webmanifest', 'icons', 'aspirechat.js', 'lib'];
/** Without a network the page shows these too. */
const SHELL = ['/', '/favicon.svg', '/manifest.webmanifest', '/icons/icon-192.png'];
const COMPRESSED = /\.(html|js|css|svg|webmanifest)$/;

const hash = (/** @type {any} */ content) => createHash('sha256').update(content).digest('base64url').slice(0, 10);

/** @param {string} [folder] which is emptied first @returns {Promise<string>} the folder */
export async function buildPage(folder = fileURLToPath(new URL('../artifacts/web/root', import.meta.url))) {
  installEsbuild();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'assets'), { recursive: true });
  for (const name of COPIED) {
    cpSync(join(WEB, name), join(folder, name), { recursive: true, filter: (path) => !path.endsWith('.ts') });
  }
  const asset = async (/** @type {string} */ entry, /** @type {string} */ name, /** @type {object} */ more) => {
    const [{ contents }] = await bundle(entry, { outfile: join(WEB, name), ...more });
    const path = `assets/${name.replace('.', `-${hash(contents)}.`)}`;
    writeFileSync(join(folder, path), contents);
    return path;
  };
  const style = await asset('style.css', 'style.css', { loader: { '.svg': 'dataurl' }, target: ['chrome105', 'firefox110', 'safari16'] });
  // The package says that its modules have no side effects. The page's have: they define elements.
  const script = await asset('page/entry.js', 'app.js', { ignoreAnnotations: true });
  const html = entryOf(readFileSync(join(WEB, 'index.html'), 'utf8'), style, script);
  writeFileSync(join(folder, 'index.html'), html);

  const shell = [...SHELL, `/${style}`, `/${script}`];
  const version = hash(shell.map((path) => readFileSync(join(folder, path === '/' ? 'index.html' : path))).map(hash).join());
  const [{ contents: worker }] = await bundle('page/worker.js', {
    outfile: join(WEB, 'sw.js'), format: 'iife',
    define: { SHELL: JSON.stringify(shell), SCRIPT: JSON.stringify(script), VERSION: JSON.stringify(version) },
  });
  writeFileSync(join(folder, 'sw.js'), worker);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) if (COMPRESSED.test(name)) compress(join(folder, name));
  return folder;
}

/** The entry names the bundles where the page without a build step names its modules. @param {string} html @param {string} style @param {string} script */
function entryOf(html, style, script) {
  const entry = html
    .replace(/\s*<!-- Modules [^]*?-->/, '').replace(/\s*<link rel="modulepreload"[^>]*>/g, '')
    .replace('href="style.css"', `href="${style}"`).replace('src="app/main.js"', `src="${script}"`);
  for (const path of [style, script]) if (!entry.includes(`"${path}"`)) throw new Error(`index.html has no place for ${path}.`);
  return entry;
}

/** @param {string} path */
function compress(path) {
  const content = readFileSync(path);
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}

function installEsbuild() {
  if (existsSync(join(WEB, 'e2e/node_modules/esbuild'))) return;
  execFileSync(platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: join(WEB, 'e2e'), stdio: ['ignore', 'ignore', 'inherit'], shell: platform === 'win32',
  });
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(await buildPage(argv[2]));
