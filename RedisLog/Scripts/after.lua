-- Reads a conversation's place and the events that follow a seq, at one moment. TailReader.cs reads the reply.
--
-- Work: O(bytes answered), which are at most ARGV 3 and eight events more, and O(ARGV 2): a caller who wants more calls again.
--
-- KEYS 1 epoch   2 conversation   3 tail   4 revisions
-- ARGV 1 the seq   2 most events   3 most bytes, about
-- Reply: {epoch ('' = the partition is closed), head, durable, seq, record, seq, record, …: oldest first and without a hole,
--         the floor: what is at or below it is gone for good}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0, {}} end

local state = redis.call('HMGET', KEYS[2], 'head', 'durable', 'rules', 'floor')
local head, durable, floor = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[4] or 0)
-- The log of a room that was deleted began anew above its floor, in an epoch of its own (rules.lua).
local life = string.match(state[3] or '', '%d*$')
if life ~= '' then epoch = epoch .. '.' .. life end
local answer, most, bytes = {}, tonumber(ARGV[2]), tonumber(ARGV[3])
local next = tonumber(ARGV[1]) + 1
while next <= head and #answer < 2 * most and bytes > 0 do
  local entries = redis.call('XRANGE', KEYS[3], string.format('%d', next), '+', 'COUNT', 8)
  local i = 1
  repeat
    local seq = string.format('%d', next)
    local record
    if entries[i] and entries[i][1] == seq .. '-0' then
      record = entries[i][2][2]
      i = i + 1
    else
      record = redis.call('HGET', KEYS[4], seq)
      if not record then return {epoch, head, durable, answer, floor} end
    end
    answer[#answer + 1] = seq
    answer[#answer + 1] = record
    bytes = bytes - #record
    next = next + 1
  until next > head or (i > #entries) or #answer >= 2 * most
end
return {epoch, head, durable, answer, floor}
