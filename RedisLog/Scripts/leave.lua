-- Ends a user's membership of a room and tells every replica where the user is connected.
-- LogRecordCodec describes the record, PubSubMessage.Left the message.
--
-- Work: O(1), whatever the number of members.
--
-- KEYS 1 epoch   2 members   3 log
-- ARGV 1 the conversation's stored key   2 room   3 user   4 Unix milliseconds   5 bell channel   6 the user's channel
-- Reply: {epoch ('' = the partition is closed, nothing was done), 1 if the user was a member else 0, the moment in microseconds}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0} end

local was = redis.call('HDEL', KEYS[2], ARGV[3])
if was == 1 then
  redis.call('XADD', KEYS[3], '*', 'c', ARGV[1], 's', '0', 'p', epoch,
    'e', '{"type":"leave","room":"' .. ARGV[2] .. '","user":"' .. ARGV[3] .. '","seq":0,"timestamp":' .. ARGV[4] .. '}')
  redis.call('PUBLISH', ARGV[5], '1')
end
-- Published for a non-member too: a connection may still be subscribed after Redis lost the membership.
-- The message has its moment: however late a node hears it, it does not end a later join.
local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
redis.call('PUBLISH', ARGV[6], 'L ' .. ARGV[2] .. ' ' .. string.format('%d', at))
return {epoch, was, at}
