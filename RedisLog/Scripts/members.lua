-- Which of some users are no members of a room.
--
-- Work: O(users asked for), of which there are at most 1,000 (RedisConversationLog.UsersPerCall).
--
-- KEYS 1 epoch   2 members   3 conversation
-- ARGV the users
-- Reply: {epoch ('' = the partition is closed, nothing is known), the moment of the answer in microseconds, those who are no members…}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0} end

local time = redis.call('TIME')
-- A room that was deleted has another epoch from then on (rules.lua).
local life = string.match(redis.call('HGET', KEYS[3], 'rules') or '', '%d*$')
local reply = {life == '' and epoch or epoch .. '.' .. life, time[1] * 1000000 + time[2]}
local cursors = redis.call('HMGET', KEYS[2], unpack(ARGV))
for i = 1, #ARGV do
  if not cursors[i] then reply[#reply + 1] = ARGV[i] end
end
return reply
