-- Moves a user's read cursor forward, never back and never past the head.
-- LogRecordCodec describes the record, PubSubMessage.Read the message.
--
-- Work: O(1).
--
-- KEYS 1 epoch   2 conversation   3 members   4 log
-- ARGV 1 the conversation's stored key   2 user   3 seq   4 Unix milliseconds   5 bell channel   6 channel   7 second channel ('' = none)
--      8 '1': only a member has a cursor (rooms)
-- Reply: {epoch ('' = the partition is closed, nothing was done), the cursor now, 1 if it moved else 0; cursor -1: not a member}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0} end

local current = redis.call('HGET', KEYS[3], ARGV[2])
if not current and ARGV[8] == '1' then return {epoch, -1, 0} end
current = tonumber(current or 0)
local head = tonumber(redis.call('HGET', KEYS[2], 'head') or 0)
local seq = math.min(tonumber(ARGV[3]), head)
if seq <= current then return {epoch, current, 0} end

local text = string.format('%d', seq)
redis.call('HSET', KEYS[3], ARGV[2], text)
redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', epoch,
  'e', '{"type":"read","c":"' .. ARGV[1] .. '","user":"' .. ARGV[2] .. '","seq":' .. text .. ',"timestamp":' .. ARGV[4] .. '}')
redis.call('PUBLISH', ARGV[5], '1')
local message = 'R ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. text
redis.call('PUBLISH', ARGV[6], message)
if ARGV[7] ~= '' then redis.call('PUBLISH', ARGV[7], message) end
return {epoch, seq, 1}
