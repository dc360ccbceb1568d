// The client library of AspireChat: no dependencies, no build step, no DOM. Runs in browsers and, given a WebSocket, in Node.
//
//   const chat = new ChatClient({ getToken: async () => (await fetch('/my/token')).text() });
//   await chat.connect();
//   const lobby = await chat.join('lobby');
//   lobby.on('event', (event) => console.log(event.seq, event.from, event.content));
//   await lobby.send('hello');   // resolves when the message is in the log, whatever the network does meanwhile

export { ChatClient } from './lib/client.js';
export { Conversation } from './lib/conversation.js';
export { ChatError, LIMITS, isId } from './lib/protocol.js';
