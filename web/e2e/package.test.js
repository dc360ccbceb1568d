// The library and its React package as npm would publish them: types, public surface, weight, content, and a first use.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { bundle } from '../build.mjs';
import { pack } from '../pack.mjs';
import { output } from './process.js';
import { publicSurface } from './public-surface.js';
import { ScriptedServer } from './scripted-server.js';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const COMPILER = join(WEB, 'e2e/node_modules/typescript/bin/tsc');
const KIB = 1024;
const filesBelow = (folder) => readdirSync(folder, { recursive: true }).filter((name) => /\.\w+$/.test(name)).sort();
const folderFor = (name) => mkdtempSync(join(tmpdir(), `aspirechat-${name}-`));
const brotli = ([{ contents }]) => brotliCompressSync(contents).length;

/** Where both packages are installed, by npm, from their files. */
let project;
let packages;
before(async () => {
  [packages, project] = [folderFor('packages'), folderFor('project')];
  const made = await pack(packages);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'shop', private: true, type: 'module' }));
  // react comes from the registry in a real project; here it is the one that the tests have.
  execFileSync('npm', ['install', ...made, '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: project });
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  for (const name of ['react', 'ws', '@types/react']) symlinkSync(join(WEB, 'e2e/node_modules', name), join(project, 'node_modules', name));
});
after(() => { for (const folder of [packages, project]) rmSync(folder, { recursive: true, force: true }); });

for (const [what, source] of [['library', WEB], ['React package', join(WEB, 'react')]]) {
  test(`The types of the ${what} hold, and those in the repository are what they generate (npm run types in web)`, (t) => {
    const made = folderFor('types');
    t.after(() => rmSync(made, { recursive: true, force: true }));
    const { status, stdout } = spawnSync(process.execPath, [COMPILER, '-p', source, '--outDir', made], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
    const committed = join(source, 'types');
    assert.deepEqual(filesBelow(committed), filesBelow(made));
    for (const name of filesBelow(made)) assert.equal(readFileSync(join(committed, name), 'utf8'), readFileSync(join(made, name), 'utf8'), name);
  });
}

test('Every public member has a comment, and none is internal', () => {
  const { members, files, undocumented } = publicSurface(join(WEB, 'types/index.d.ts'));
  assert.deepEqual(undocumented, []);
  for (const name of ['ChatClient.rooms', 'ChatClient.join', 'Conversation.send', 'Rooms.ban', 'ChatError.code', 'Message.seq']) {
    assert.ok(members.includes(name), `${name} is public`);
  }
  const internal = members.filter((name) => /\.(emit|receive|dispose|adopt|resume|applyOverview|constructor.*link)$/i.test(name));
  assert.deepEqual(internal, []);
  const { files: published } = JSON.parse(readFileSync(join(WEB, 'package.json'), 'utf8'));
  assert.deepEqual(published.filter((name) => name.startsWith('types/')).sort(), files.map((name) => `types/${name}`).sort(), 'what can be reached');
  for (const name of files) {
    const text = readFileSync(join(WEB, 'types', name), 'utf8');
    assert.doesNotMatch(text, /\b(Outbox|Link|Sync|Api|Tokens|Connection|Leaves|ReadCursors|RoomSeat|Timeline|Tickets)\b(?!Store)/, name);
  }
});

test('Every member of the React package has a comment', () => {
  assert.deepEqual(publicSurface(join(WEB, 'react/types/index.d.ts')).undocumented, []);
});

test('The library weighs at most 20 KiB as one file, its React package 4 KiB, and what a product does not use weighs nothing', async (t) => {
  const library = await bundle('aspirechat.js');
  const react = await bundle('react/index.js', { external: ['react', 'aspirechat'] });
  t.diagnostic(`brotli: library ${brotli(library)} bytes, React package ${brotli(react)} bytes`);
  assert.ok(brotli(library) <= 20 * KIB, `library: ${brotli(library)} bytes`);
  assert.ok(brotli(react) <= 4 * KIB, `React package: ${brotli(react)} bytes`);
  const one = await bundle(undefined, {
    entryPoints: undefined, stdin: { contents: "export { isRoomId } from './aspirechat.js';", resolveDir: WEB },
  });
  assert.ok(one[0].contents.length < 200, 'isRoomId alone');
});

test('The packages hold each module and each declaration that they need, and nothing else; the same sources give the same bytes', async (t) => {
  const again = folderFor('again');
  t.after(() => rmSync(again, { recursive: true, force: true }));
  const made = await pack(again);
  for (const path of made) {
    const name = path.slice(again.length + 1);
    assert.ok(readFileSync(path).equals(readFileSync(join(packages, name))), name);
  }
  const installed = (name) => filesBelow(join(project, 'node_modules', name));
  const modules = filesBelow(join(WEB, 'lib')).filter((name) => name.endsWith('.js')).map((name) => `lib/${name}`);
  const types = publicSurface(join(WEB, 'types/index.d.ts')).files.map((name) => `types/${name}`);
  assert.deepEqual(installed('aspirechat'),
    ['README.md', 'aspirechat.js', 'aspirechat.min.js', 'aspirechat.min.js.map', 'package.json', ...modules, ...types].sort());
  assert.deepEqual(installed('aspirechat-react'), ['README.md', 'index.js', 'package.json', 'types/index.d.ts', 'types/views.d.ts']);
  const manifest = (name) => JSON.parse(readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8'));
  assert.equal(manifest('aspirechat').version, manifest('aspirechat-react').version);
  assert.equal(manifest('aspirechat').dependencies, undefined);
});

test('The installed packages have types that a strict project can use', () => {
  writeFileSync(join(project, 'app.ts'), `
    import { ChatClient, ChatError, Conversation, type Message } from 'aspirechat';
    import { useConversation, usePresence } from 'aspirechat-react';
    const chat = new ChatClient({ url: 'http://localhost', getToken: async ({ fresh }) => ({ token: String(fresh) }) });
    export async function use(): Promise<Message | undefined> {
      const room: Conversation = await chat.join('lobby');
      room.on('event', ({ seq, content }) => console.log(seq.toFixed(), content?.length));
      chat.once('left', ({ leftReason }) => leftReason satisfies 'removed' | 'banned' | 'deleted' | 'forbidden' | undefined);
      const { items } = await chat.rooms.list({ query: 'te' });
      if (items[0].role === 'owner') await chat.rooms.update(items[0].room, { topic: null });
      // @ts-expect-error internals are no part of it
      room.receive({});
      // @ts-expect-error only the client makes them
      new Conversation();
      // @ts-expect-error a role that there is not
      await chat.rooms.setRole('tea', 'bob', 'king');
      try { await room.send('x', { mentions: ['bob'] }); } catch (error) { if (error instanceof ChatError) console.log(error.code); }
      return room.messages.at(-1);
    }
    export const view = () => [useConversation({ room: 'x' }).messages[0].content, usePresence(['bob']).bob] as const;
  `);
  const compilerOptions = { noEmit: true, strict: true, target: 'es2022', module: 'nodenext', types: [], lib: ['es2023', 'dom'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
  const { status, stdout } = spawnSync(process.execPath, [COMPILER, '-p', project], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

// What a newcomer does: an empty project, the package, and the lines of docs/client.md.
const page = readFileSync(join(WEB, '../docs/client.md'), 'utf8');
const quickStart = /```js\n(import \{ ChatClient \} from 'aspirechat';\n[\s\S]*?)```/.exec(page)[1];

test('The quick start of the documents is that of the package, in 15 lines at most', () => {
  assert.ok(readFileSync(join(WEB, 'README.md'), 'utf8').includes(quickStart));
  assert.ok(quickStart.trim().split('\n').length <= 15, quickStart);
});

for (const [what, module, flags, edit] of [
  ['the WebSocket of Node', 'aspirechat', ['--experimental-websocket'], (text) => text],
  ['ws', 'aspirechat', [], (text) => `import WebSocket from 'ws';\n${text.replace('new ChatClient({', 'new ChatClient({\n  WebSocket,')}`],
  ['the minified file', 'aspirechat/min', ['--experimental-websocket'], (text) => text],
]) {
  test(`The quick start sends its first message from an empty project: ${what}`, async (t) => {
    const server = await ScriptedServer.start();
    t.after(() => server.stop());
    const text = edit(quickStart).replaceAll('http://localhost:8080', server.url).replace("from 'aspirechat'", `from '${module}'`);
    writeFileSync(join(project, 'app.mjs'), text);
    await output(t, process.execPath, [...flags, '--disable-warning=ExperimentalWarning', 'app.mjs'], project, ['in the log at 1', '1 alice: hello']);
  });
}

test('A server that is not there is waited for, with ws too, and nothing is thrown that nobody catches', async (t) => {
  const server = await ScriptedServer.start();
  const { url } = server;
  await server.stop();
  writeFileSync(join(project, 'away.mjs'), `
    import WebSocket from 'ws';
    import { ChatClient } from 'aspirechat';
    const chat = new ChatClient({ url: '${url}', WebSocket, getToken: async () => 'a.b.c' });
    let tries = 0;
    chat.on('status', ({ state, retryAt }) => { if (state === 'reconnecting' && retryAt && ++tries === 2) { console.log('still waiting'); chat.close(); } });
    await chat.connect().catch(({ code }) => console.log('ended with ' + code));
  `);
  await output(t, process.execPath, ['away.mjs'], project, ['still waiting', 'ended with closed']);
});
