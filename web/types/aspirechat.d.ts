export { ChatClient } from "./lib/client.js";
export { Conversation } from "./lib/conversation.js";
export { Presence } from "./lib/presence.js";
export { Rooms } from "./lib/rooms.js";
export { ChatError, LIMITS, SYSTEM, isRoomId, isUserId } from "./lib/protocol.js";
