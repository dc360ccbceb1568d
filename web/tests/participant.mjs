// A client in a process of its own, for tests in other languages: node --experimental-websocket participant.mjs GATEWAY USER ROOM [SPEED [tickets]]
// Each line that it reads is a message to send, or `end`. Each line that it writes is what an application of it sees, as JSON.
import { createInterface } from 'node:readline';
import { argv, stdin } from 'node:process';
import { ChatClient } from '../aspirechat.js';
import { systemClock } from '../lib/util.js';

const [, , url, user, name, speed = '1', tickets] = argv;
const say = (what) => console.log(JSON.stringify(what));
/** Waits that suit a network would make a test long. */
const clock = {
  ...systemClock,
  now: () => systemClock.now() * Number(speed),
  set: (run, ms) => setTimeout(run, ms / Number(speed)),
};
// A server that is there for tests alone takes the user as the token, and the token from the header, which a browser could not set.
const isReal = speed === '1';
const getToken = async ({ signal }) => (isReal ? (await fetch(`${url}/dev/token?user=${user}`, { signal })).json() : user);
const Socket = isReal ? WebSocket : class extends WebSocket {
  constructor(address, [protocol, bearer]) {
    super(address, { protocols: [protocol], headers: { Authorization: `Bearer ${bearer.slice('bearer.'.length)}` } });
  }
};
const client = new ChatClient({ url, user, clock, getToken, WebSocket: Socket, tickets: tickets === 'tickets', network: null });
let isReset = false;
/** A reload is told once it is known what was loaded. @param {import('../lib/conversation.js').Conversation} room @param {number} head */
const reloaded = ({ epoch }, head) => {
  if (!isReset || epoch === null) return;
  isReset = false;
  say({ reloaded: { epoch, head } });
};
client.once('conversation', (room) => {
  room.on('event', ({ seq, id, from, content }) => {
    reloaded(room, seq - 1);
    say({ event: { epoch: room.epoch, seq, id, from, content } });
  });
  room.on('lost', (lost) => say({ lost }));
  room.on('change', ({ kind }) => {
    if (kind === 'reset') isReset = true;
    if (kind === 'reset' || kind === 'prepend') reloaded(room, room.head);
  });
});
await client.connect();
const room = await client.join(name);
say({ joined: { epoch: room.epoch, head: room.head, ticket: client.info.ticket } });
const sends = [];
for await (const line of createInterface({ input: stdin })) {
  if (line === 'end') break;
  const sending = room.send(line);
  const { nonce } = room.pending.at(-1);
  sends.push(sending.then((receipt) => ({ nonce, ...receipt })));
}
say({ sent: await Promise.all(sends) });
// It goes on receiving until the test ends it.
