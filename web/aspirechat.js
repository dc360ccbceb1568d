// The client library of AspireChat: no dependencies, no build step, no DOM. For browsers and, given a WebSocket, for Node. docs/client.md
export { ChatClient } from './lib/client.js';
export { Conversation } from './lib/conversation.js';
export { Presence } from './lib/presence.js';
export { ChatError, LIMITS, SYSTEM, isRoomId, isUserId } from './lib/protocol.js';
export { Rooms } from './lib/rooms.js';
/** @typedef {import('./lib/types.js').Where} Where */
/** @typedef {import('./lib/types.js').Frame} Frame */
/** @typedef {import('./lib/types.js').Profile} Profile */
/** @typedef {import('./lib/types.js').Reaction} Reaction */
/** @typedef {import('./lib/types.js').ChatEvent} ChatEvent */
/** @typedef {import('./lib/types.js').Details} Details */
/** @typedef {import('./lib/types.js').Role} Role */
/** @typedef {import('./lib/types.js').LeftReason} LeftReason */
/** @typedef {import('./lib/types.js').MemberChange} MemberChange */
/** @typedef {import('./lib/types.js').Signal} Signal */
/** @typedef {import('./lib/types.js').Room} Room */
/** @typedef {import('./lib/types.js').RoomSettings} RoomSettings */
/** @typedef {import('./lib/types.js').Ban} Ban */
/** @typedef {import('./lib/types.js').Receipt} Receipt */
/** @typedef {import('./lib/types.js').Message} Message */
/** @typedef {import('./lib/types.js').Pending} Pending */
/** @typedef {import('./lib/types.js').Change} Change */
/** @typedef {import('./lib/types.js').Page} Page */
/** @typedef {import('./lib/types.js').PageQuery} PageQuery */
/** @typedef {import('./lib/types.js').Overview} Overview */
/** @typedef {import('./lib/types.js').ConversationPage} ConversationPage */
/** @typedef {import('./lib/types.js').SearchQuery} SearchQuery */
/** @typedef {import('./lib/types.js').SearchPage} SearchPage */
/** @typedef {import('./lib/types.js').RoomPage} RoomPage */
/** @typedef {import('./lib/types.js').Member} Member */
/** @typedef {import('./lib/types.js').MemberPage} MemberPage */
/** @typedef {import('./lib/types.js').UserPage} UserPage */
/** @typedef {import('./lib/types.js').UserPresence} UserPresence */
/** @typedef {import('./lib/types.js').Status} Status */
/** @typedef {import('./lib/types.js').Info} Info */
/** @typedef {import('./lib/types.js').Clock} Clock */
/** @typedef {import('./lib/types.js').Cancel} Cancel */
/** @typedef {import('./lib/types.js').TokenProvider} TokenProvider */
/** @typedef {import('./lib/types.js').Stored} Stored */
/** @typedef {import('./lib/types.js').OutboxStore} OutboxStore */
/** @typedef {import('./lib/types.js').ChatOptions} ChatOptions */
