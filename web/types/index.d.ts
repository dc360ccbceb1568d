export * from './aspirechat.js';
export type * from './lib/types.js';
