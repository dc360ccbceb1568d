-- Where conversations of one partition stand.
--
-- Work: O(1) for a conversation, at most 500 of them (RedisConversationLog.HeadsPerCall).
--
-- KEYS 1 epoch   2.. conversations
-- Reply: {epoch ('' = the partition is closed)}, then for each conversation head · durable
--        · the number of its epoch ('' = none): that of a room that was deleted (rules.lua)
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {''} end

local reply = {epoch}
for i = 2, #KEYS do
  local state = redis.call('HMGET', KEYS[i], 'head', 'durable', 'rules')
  reply[#reply + 1] = state[1] or '0'
  reply[#reply + 1] = state[2] or '0'
  reply[#reply + 1] = string.match(state[3] or '', '%d*$')
end
return reply
