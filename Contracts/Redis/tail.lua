-- Reads a conversation's place and its newest events at one moment: all that are not committed yet, and those of the page asked for if
-- it begins near the head.
--
-- KEYS 1 epoch   2 conversation   3 tail
-- ARGV 1 the page lies below this seq ('' = below head + 1)   2 the page lies above this seq ('' = it does not look forward)
--      3 events in the page   4 how far below the head the page may begin   5 most events to return
-- Reply: {epoch ('' = the partition is closed), head, durable, entries, newest first}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0, {}} end

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
if lowest > head then return {epoch, head, durable, {}} end
return {epoch, head, durable, redis.call('XREVRANGE', KEYS[3], '+', string.format('%d', lowest), 'COUNT', ARGV[5])}
