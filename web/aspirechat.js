// The client library of AspireChat: no dependencies, no build step, no DOM. For browsers and, given a WebSocket, for Node. docs/client.md
export { ChatClient } from './lib/client.js';
export { Conversation } from './lib/conversation.js';
export { Presence } from './lib/presence.js';
export { ChatError, LIMITS, isRoomId, isUserId } from './lib/protocol.js';
/** @typedef {import('./lib/types.js').ChatOptions} ChatOptions */
/** @typedef {import('./lib/types.js').ChatEvent} ChatEvent */
/** @typedef {import('./lib/types.js').Message} Message */
/** @typedef {import('./lib/types.js').Receipt} Receipt */
/** @typedef {import('./lib/types.js').OutboxStore} OutboxStore */
