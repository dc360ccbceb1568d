// The client library of AspireChat: no dependencies, no build step, no DOM. For browsers and, given a WebSocket, for Node. docs/client.md
export { ChatClient } from './lib/client.js';
export { Conversation } from './lib/conversation.js';
export { Presence } from './lib/presence.js';
export { ChatError, LIMITS, SYSTEM, isRoomId, isUserId } from './lib/protocol.js';
export { Rooms } from './lib/rooms.js';
