-- Reads a conversation's place and its newest events at one moment: all that are not committed yet, and those of the page asked for if
-- it begins near the head. TailReader.cs reads the reply.
--
-- Work: O(bytes answered), which are at most ARGV 6 and eight events more: a caller who wants more calls again with ARGV 7.
--
-- KEYS 1 epoch   2 conversation   3 tail   4 revisions
-- ARGV 1 the page lies below this seq ('' = below head + 1)   2 the page lies above this seq ('' = it does not look forward)
--      3 events in the page   4 how far below the head the page may begin   5 most events to return   6 most bytes, about
--      7 go on below this seq, and no lower than ARGV 8 ('' = begin)
-- Reply: {epoch ('' = the partition is closed), head, durable, seq, record, seq, record, …: newest first and without a hole,
--         the lowest seq wanted; further events are to be had when the last of these is above it and the call was full,
--         the floor: what is at or below it is gone for good}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0, {}, 0} end

local state = redis.call('HMGET', KEYS[2], 'head', 'durable', 'rules', 'floor')
local head, durable, floor = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[4] or 0)
-- The log of a room that was deleted began anew above its floor, in an epoch of its own (rules.lua).
local life = string.match(state[3] or '', '%d*$')
if life ~= '' then epoch = epoch .. '.' .. life end
local lowest, from
if ARGV[7] ~= '' then
  lowest, from = tonumber(ARGV[8]), tonumber(ARGV[7]) - 1
else
  local page
  if ARGV[2] ~= '' then
    page = tonumber(ARGV[2]) + 1
  else
    page = math.max(1, math.min(ARGV[1] == '' and head + 1 or tonumber(ARGV[1]), head + 1) - tonumber(ARGV[3]))
  end
  lowest, from = math.max(durable, floor) + 1, head
  if page > head - tonumber(ARGV[4]) then lowest = math.max(math.min(lowest, page), floor + 1) end
end

local answer, most, bytes = {}, tonumber(ARGV[5]), tonumber(ARGV[6])
local next = from
while next >= lowest and #answer < 2 * most and bytes > 0 do
  local entries = redis.call('XREVRANGE', KEYS[3], string.format('%d', next), string.format('%d', lowest), 'COUNT', 8)
  local i = 1
  repeat
    local seq = string.format('%d', next)
    local record
    if entries[i] and entries[i][1] == seq .. '-0' then
      record = entries[i][2][2]
      i = i + 1
    else
      record = redis.call('HGET', KEYS[4], seq)
      if not record then return {epoch, head, durable, answer, lowest, floor} end
    end
    answer[#answer + 1] = seq
    answer[#answer + 1] = record
    bytes = bytes - #record
    next = next - 1
  until next < lowest or (i > #entries) or #answer >= 2 * most
end
return {epoch, head, durable, answer, lowest, floor}
