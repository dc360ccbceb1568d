// The library as npm would publish it: its types are checked, the declarations are those of its source, and the package holds what it needs.
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
  const { status, stdout } = spawnSync(process.execPath, [join(WEB, 'e2e/node_modules/typescript/bin/tsc'), '-p', WEB, '--outDir', made], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  const committed = join(WEB, 'types');
  assert.deepEqual(filesBelow(committed), filesBelow(made));
  for (const name of filesBelow(made)) assert.equal(readFileSync(join(committed, name), 'utf8'), readFileSync(join(made, name), 'utf8'), name);
});

test('The package holds each module that it imports and each declaration, and nothing else', () => {
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--offline'], { cwd: WEB, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  const modules = filesBelow(join(WEB, 'lib')).filter((name) => name.endsWith('.js')).map((name) => `lib/${name}`);
  const types = filesBelow(join(WEB, 'types')).map((name) => `types/${name}`);
  assert.deepEqual(files.map((f) => f.path).sort(), ['aspirechat.js', 'package.json', ...modules, ...types].sort());
});
