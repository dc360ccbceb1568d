#!/usr/bin/env node
// Makes the npm packages: node web/pack.mjs [folder], by default into artifacts/packages. Both have one version, that of the repository,
// and the same sources give the same bytes. Needs `npm ci` in web/e2e once.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildTo } from './build.mjs';

const WEB = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const run = (command, args, cwd = ROOT) => execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** The version of the repository: its last tag, or what comes after it. */
export function versionOf() {
  const script = join(ROOT, 'eng/version.sh');
  if (existsSync(script)) return run(script, []);
  let described;
  try { described = run('git', ['describe', '--tags', '--long', '--match', 'v*']); } catch { /* no tag yet, or no repository */ }
  const [, base, height] = /^v(\d+\.\d+\.\d+)-(\d+)-g/.exec(described ?? '') ?? [undefined, '0.1.0', '0'];
  return Number(height) === 0 ? base : `${base.replace(/\d+$/, (patch) => String(Number(patch) + 1))}-alpha.0.${height}`;
}

/** @param {string} folder where the packages go @returns {Promise<string[]>} their paths */
export async function pack(folder, version = versionOf()) {
  mkdirSync(folder, { recursive: true });
  const made = [];
  for (const source of [WEB, join(WEB, 'react')]) {
    const stage = mkdtempSync(join(tmpdir(), 'aspirechat-pack-'));
    try {
      const { scripts, ...manifest } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
      manifest.version = version;
      if (manifest.peerDependencies?.aspirechat) manifest.peerDependencies.aspirechat = `^${version}`;
      for (const name of [...manifest.files, 'README.md']) {
        // A pattern's folder is copied, and npm picks from it.
        const path = name.replace(/\/\*.*/, '');
        if (existsSync(join(source, path))) cpSync(join(source, path), join(stage, path), { recursive: true });
      }
      if (manifest.files.includes('aspirechat.min.js')) await buildTo(stage);
      writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
      made.push(join(folder, run('npm', ['pack', '--pack-destination', folder, '--offline', '--loglevel=error'], stage).split('\n').at(-1)));
    } finally {
      rmSync(stage, { recursive: true, force: true });
    }
  }
  return made;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of await pack(argv[2] ?? join(ROOT, 'artifacts/packages'))) console.log(path);
}
