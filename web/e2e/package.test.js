// The library as npm would publish it: its types hold, its declarations are those of its source, and the package has what it needs.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const filesBelow = (folder) => readdirSync(folder, { recursive: true }).filter((name) => /\.\w+$/.test(name)).sort();

test('The types of the library hold, and web/types is what they generate (npm run types)', (t) => {
  const made = mkdtempSync(join(tmpdir(), 'aspirechat-types-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  const compiler = join(WEB, 'e2e/node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', WEB, '--outDir', made], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  const committed = join(WEB, 'types');
  assert.deepEqual(filesBelow(committed), filesBelow(made));
  const text = (folder, name) => readFileSync(join(folder, name), 'utf8');
  for (const name of filesBelow(made)) assert.equal(text(committed, name), text(made, name), name);
});

test('The package holds each module that it imports and each declaration, and nothing else', () => {
  const options = { cwd: WEB, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--offline'], options));
  const modules = filesBelow(join(WEB, 'lib')).filter((name) => name.endsWith('.js')).map((name) => `lib/${name}`);
  const types = filesBelow(join(WEB, 'types')).map((name) => `types/${name}`);
  assert.deepEqual(files.map((f) => f.path).sort(), ['aspirechat.js', 'package.json', ...modules, ...types].sort());
});
