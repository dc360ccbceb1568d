#!lua flags=allow-oom
-- Notes for conversations of one partition how far they are committed in PostgreSQL, and tells their members.
-- Does nothing while the partition is closed: a half-known conversation must not appear in an empty Redis.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
-- PubSubMessage.Durable describes the message.
--
-- A conversation whose events are all committed and that nobody writes to for a while needs no tail: it expires, and append.lua keeps it
-- from expiring with the next event. What is asked for then comes from PostgreSQL. The conversation's place stays.
--
-- What the tail kept only because it was not committed goes now: on a full Redis append.lua could not make it go.
--
-- Work: O(1) for a conversation, at most 200 of them (PartitionLog.ConversationsPerCall), and about 2,000 entries trimmed for all.
--
-- KEYS 1 epoch   2 moves   3.. for each conversation: conversation, tail, revisions
-- ARGV 1 how long an idle tail stays, s
--      2.. for each conversation, four: stored key · seq · channel · second channel ('' = none)
-- Reply: how many moved
local epoch = redis.call('GET', KEYS[1])
if not epoch then return 0 end

local moved, at, trimmed = 0, 2, 0
for i = 3, #KEYS, 3 do
  local seq = tonumber(ARGV[at + 1])
  local state = redis.call('HMGET', KEYS[i], 'durable', 'hold', 'head', 'span', 'rules')
  -- An event that PostgreSQL refused holds the mark back: it is not committed, and the tail must keep it readable.
  if state[2] then seq = math.min(seq, tonumber(state[2]) - 1) end
  if seq > tonumber(state[1] or 0) then
    local text = string.format('%d', seq)
    redis.call('HSET', KEYS[i], 'durable', text)
    if seq >= tonumber(state[3] or 0) then
      redis.call('EXPIRE', KEYS[i + 1], ARGV[1])
      redis.call('EXPIRE', KEYS[i + 2], ARGV[1])
    end
    local floor = tonumber(string.match(state[4] or '0', '^%d+'))
    if floor > tonumber(state[1] or 0) and trimmed < 2000 then
      trimmed = trimmed + redis.call('XTRIM', KEYS[i + 1], 'MINID', '~', string.format('%d', math.min(floor, seq) + 1), 'LIMIT', 1000)
    end
    local life = string.match(state[5] or '', '%d*$')
    local message = 'D ' .. ARGV[at] .. ' ' .. epoch .. (life == '' and '' or '.' .. life) .. ' ' .. text
    redis.call('PUBLISH', ARGV[at + 2], message)
    if ARGV[at + 3] ~= '' then redis.call('PUBLISH', ARGV[at + 3], message) end
    moved = moved + 1
  end
  at = at + 4
end
if moved > 0 then redis.call('INCR', KEYS[2]) end
return moved
