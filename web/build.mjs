#!/usr/bin/env node
// Bundles the client into one minified file, artifacts/web/aspirechat.min.js, with its source map. Needs `npm ci` in web/e2e once.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('.', import.meta.url));

/** What makes a bundle of a module. @param {string} entry @param {object} [more] more of esbuild's options */
export async function bundle(entry, more = {}) {
  const { build } = createRequire(new URL('e2e/', import.meta.url))('esbuild');
  const { outputFiles } = await build({
    absWorkingDir: WEB, entryPoints: [entry], bundle: true, minify: true, format: 'esm', target: 'es2022', legalComments: 'none', write: false,
    ...more,
  });
  return outputFiles;
}

/** Writes the bundle. @param {string} [folder] */
export async function buildTo(folder = fileURLToPath(new URL('../artifacts/web', import.meta.url))) {
  mkdirSync(folder, { recursive: true });
  // The map holds the sources, and names them as the package has them wherever it is built.
  const files = await bundle('aspirechat.js', { outfile: `${WEB}/aspirechat.min.js`, sourcemap: true });
  for (const { path, contents } of files) writeFileSync(`${folder}/${path.slice(path.lastIndexOf('/') + 1)}`, contents);
  return `${folder}/aspirechat.min.js`;
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(await buildTo(argv[2]));
