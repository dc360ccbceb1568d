// What `types/` is generated from: the module's exports and the shapes of its data.
export * from './aspirechat.js';
export type * from './lib/types.js';
