import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypingSender, TypingUsers } from '../lib/typing.js';
import { FakeClock, message, setup } from './harness.js';

function sender() {
  const clock = new FakeClock();
  const start = clock.now();
  const sent = [];
  const typing = new TypingSender(clock, (active) => sent.push([clock.now() - start, active]));
  return { clock, sent, typing };
}

test('Typing is sent at most every 2 s, and stops 2 s after the last key', async () => {
  const { clock, sent, typing } = sender();
  for (let i = 0; i <= 50; i++) {
    typing.touch();
    await clock.advance(100);
  }
  await clock.advance(5000);
  assert.deepEqual(sent, [[0, true], [2000, true], [4000, true], [7000, false]]);
});

test('One key is one start and one stop', async () => {
  const { clock, sent, typing } = sender();
  typing.touch();
  await clock.advance(10_000);
  assert.deepEqual(sent, [[0, true], [2000, false]]);
});

test('Sending stops at once; typing right after it waits for its turn', async () => {
  const { clock, sent, typing } = sender();
  typing.touch();
  await clock.advance(300);
  typing.stop();
  await clock.advance(100);
  typing.touch();
  await clock.advance(1700);
  assert.deepEqual(sent, [[0, true], [300, false], [2000, true]]);
});

test('A stop without a start, and a reset, send nothing', async () => {
  const { clock, sent, typing } = sender();
  typing.stop();
  typing.touch();
  typing.reset();
  await clock.advance(10_000);
  assert.deepEqual(sent, [[0, true]]);
  assert.equal(clock.timers, 0);
});

test('A typist is shown until the server says stop, or is silent about it for 30 s', async () => {
  const clock = new FakeClock();
  let changes = 0;
  const users = new TypingUsers(clock, () => changes++);
  users.set('bob', true);
  users.set('carol', true);
  await clock.advance(20_000);
  users.set('bob', true);
  users.set('carol', false);
  assert.deepEqual(users.users, ['bob']);
  await clock.advance(29_999);
  assert.deepEqual(users.users, ['bob']);
  await clock.advance(2);
  assert.deepEqual(users.users, []);
  assert.equal(changes, 4);
});

test('A message ends its author\'s typing, and the own typing is not shown', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0, { typing: ['bob', 'alice'] });
  socket.say({ type: 'typing', room: 'lobby', from: 'carol', active: true });
  assert.deepEqual(room.typingUsers, ['bob', 'carol']);
  socket.say(message(1, 'bob'));
  assert.deepEqual(room.typingUsers, ['carol']);
});

test('Typing to a user goes to the user; without a connection nothing is kept', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const bob = kit.client.direct('bob');
  bob.typing();
  assert.deepEqual(socket.of('typing'), [{ type: 'typing', to: 'bob', active: true }]);
  socket.say({ type: 'typing', to: 'bob', from: 'bob', active: true });
  assert.deepEqual(bob.typingUsers, ['bob']);
  socket.end(1006);
  assert.deepEqual(bob.typingUsers, []);
  bob.typing();
  await kit.clock.advance(500);
  assert.equal((await kit.accept()).of('typing').length, 0);
});
