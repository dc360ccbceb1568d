-- Makes a user a member of a room (nothing changes for a member) and answers the room's place at this moment.
-- LogRecordCodec describes the record.
--
-- Work: O(1), whatever the number of members.
--
-- KEYS 1 epoch   2 conversation   3 members   4 log
-- ARGV 1 the conversation's stored key   2 room   3 user   4 Unix milliseconds   5 bell channel
--      6 '1': only look whether the user is a member, and change nothing   7 most members of a room
-- Reply: {epoch ('' = the partition is closed, nothing was done), head, the user's read cursor,
--         1 newly a member · 0 was a member · -3 no member, and the room has as many as it may
--         with '1' also: -1 no member · -2 no member, and the room has neither members nor events,
--         the moment in microseconds, by which a leave is known as earlier or later}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0, 0, 0} end

local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]

local head = tonumber(redis.call('HGET', KEYS[2], 'head') or 0)
local read = redis.call('HGET', KEYS[3], ARGV[3])
if read then return {epoch, head, tonumber(read), 0, at} end
if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then return {epoch, head, 0, -3, at} end
if ARGV[6] == '1' then
  return {epoch, head, 0, (head == 0 and redis.call('EXISTS', KEYS[3]) == 0) and -2 or -1, at}
end

-- A new member starts at the head: nothing is unread.
local text = string.format('%d', head)
redis.call('HSET', KEYS[3], ARGV[3], text)
redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', epoch,
  'e', '{"type":"join","room":"' .. ARGV[2] .. '","user":"' .. ARGV[3] .. '","seq":' .. text .. ',"timestamp":' .. ARGV[4] .. '}')
redis.call('PUBLISH', ARGV[5], '1')
return {epoch, head, head, 1, at}
