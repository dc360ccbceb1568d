-- Reads a conversation's place and its newest events at one moment: all that are not committed yet, and those of the page asked for if
-- it begins near the head. TailReader.cs reads the reply.
--
-- KEYS 1 epoch   2 conversation   3 tail   4 revisions
-- ARGV 1 the page lies below this seq ('' = below head + 1)   2 the page lies above this seq ('' = it does not look forward)
--      3 events in the page   4 how far below the head the page may begin   5 most events to return
-- Reply: {epoch ('' = the partition is closed), head, durable, entries, newest first,
--         what stands for entries that are missing among them: seq, record, seq, record, …, in no order}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0, {}, {}} end

local state = redis.call('HMGET', KEYS[2], 'head', 'durable')
local head, durable = tonumber(state[1] or 0), tonumber(state[2] or 0)
local page
if ARGV[2] ~= '' then
  page = tonumber(ARGV[2]) + 1
else
  page = math.max(1, math.min(ARGV[1] == '' and head + 1 or tonumber(ARGV[1]), head + 1) - tonumber(ARGV[3]))
end
local lowest = durable + 1
if page > head - tonumber(ARGV[4]) then lowest = math.min(lowest, page) end
if lowest > head then return {epoch, head, durable, {}, {}} end

local entries = redis.call('XREVRANGE', KEYS[3], '+', string.format('%d', lowest), 'COUNT', ARGV[5])
local redacted = {}
if #entries < math.min(head - lowest + 1, tonumber(ARGV[5])) then
  local all = redis.call('HGETALL', KEYS[4])
  for i = 1, #all, 2 do
    if (tonumber(all[i]) or 0) >= lowest then
      redacted[#redacted + 1] = all[i]
      redacted[#redacted + 1] = all[i + 1]
    end
  end
end
return {epoch, head, durable, entries, redacted}
