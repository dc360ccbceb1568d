#!lua flags=allow-oom
-- Notes for conversations of one partition how far they are committed in PostgreSQL, and tells their members.
-- Does nothing while the partition is closed: a half-known conversation must not appear in an empty Redis.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
-- PubSubMessage.Durable describes the message.
--
-- KEYS 1 epoch   2.. conversations
-- ARGV for each conversation, four: stored key · seq · channel · second channel ('' = none)
-- Reply: how many moved
local epoch = redis.call('GET', KEYS[1])
if not epoch then return 0 end

local moved = 0
for i = 2, #KEYS do
  local at = (i - 2) * 4
  local seq = tonumber(ARGV[at + 2])
  local state = redis.call('HMGET', KEYS[i], 'durable', 'hold')
  -- An event that PostgreSQL refused holds the mark back: it is not committed, and the tail must keep it readable.
  if state[2] then seq = math.min(seq, tonumber(state[2]) - 1) end
  if seq > tonumber(state[1] or 0) then
    local text = string.format('%d', seq)
    redis.call('HSET', KEYS[i], 'durable', text)
    local message = 'D ' .. ARGV[at + 1] .. ' ' .. epoch .. ' ' .. text
    redis.call('PUBLISH', ARGV[at + 3], message)
    if ARGV[at + 4] ~= '' then redis.call('PUBLISH', ARGV[at + 4], message) end
    moved = moved + 1
  end
end
return moved
