#!/usr/bin/env node
// A product's server on Node, without dependencies: it mints tokens, opens a room and writes to it by the server API.
//   node shop.mjs <user> <text>      needs CHAT_GATEWAY and CHAT_KEY, which is the gateway's Jwt:Key
import { createHmac, randomUUID } from 'node:crypto';
import { argv, env, exit } from 'node:process';

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token (HS256) that is good for ten minutes. @param {string} user @param {object} claims such as name, picture, scope */
export function mint(user, claims = {}, key = env.CHAT_KEY) {
  const now = Math.floor(Date.now() / 1000);
  const head = base64url({ alg: 'HS256', typ: 'JWT' });
  const body = base64url({ iss: 'aspirechat', aud: 'aspirechat', sub: user, iat: now, exp: now + 600, ...claims });
  return `${head}.${body}.${createHmac('sha256', key).update(`${head}.${body}`).digest('base64url')}`;
}

/** Calls the server API. It says what was refused. */
async function call(method, path, body) {
  const answer = await fetch(`${env.CHAT_GATEWAY}/api/admin/${path}`, {
    method, body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${mint('shop-bot', { scope: 'chat:admin' })}` },
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${told.detail}`);
  return told;
}

const [, , user, text] = argv;
if (!user || !text || !env.CHAT_GATEWAY || !env.CHAT_KEY) {
  console.error('usage: CHAT_GATEWAY=http://localhost:8080 CHAT_KEY=… node shop.mjs <user> <text>');
  exit(1);
}
const room = `order-${randomUUID()}`;
await call('PUT', `rooms/${room}`, { visibility: 'private', name: 'An order' });
await call('POST', `rooms/${room}/members`, { members: [user] });
const { seq } = await call('POST', `rooms/${room}/messages`, { from: 'shop-bot', content: text, nonce: 'summary' });
console.log(JSON.stringify({ room, seq, token: mint(user, { name: user }) }));
