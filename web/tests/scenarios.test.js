import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('.', import.meta.url);
const { scenarios } = JSON.parse(readFileSync(new URL('../../Tests/Golden/client-scenarios.json', folder), 'utf8'));
const sources = readdirSync(folder).filter((name) => name.endsWith('.test.js')).map((name) => readFileSync(new URL(name, folder), 'utf8'));

test('Each promise that both clients make has a test here', () => {
  assert.ok(scenarios.length > 20);
  const missing = scenarios.filter(({ javascript }) => !sources.some((text) => text.includes(`test('${javascript}`) || text.includes(`test(\`${javascript}`)));
  assert.deepEqual(missing.map(({ name }) => name), []);
});
