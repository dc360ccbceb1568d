export { ChatClient } from "./lib/client.js";
export { Conversation } from "./lib/conversation.js";
export { Presence } from "./lib/presence.js";
export type ChatOptions = import("./lib/types.js").ChatOptions;
export type ChatEvent = import("./lib/types.js").ChatEvent;
export type Message = import("./lib/types.js").Message;
export type Receipt = import("./lib/types.js").Receipt;
export type OutboxStore = import("./lib/types.js").OutboxStore;
export { ChatError, LIMITS, isRoomId, isUserId } from "./lib/protocol.js";
