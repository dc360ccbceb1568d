-- Ends a user's membership of a room and tells every replica where the user is connected.
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
-- Published also for a non-member: a connection may still be subscribed after Redis lost the membership.
-- With its moment: who has joined since is not meant, however late this is heard.
local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
redis.call('PUBLISH', ARGV[6], 'L ' .. ARGV[2] .. ' ' .. string.format('%d', at))
return {epoch, was, at}
