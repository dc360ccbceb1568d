-- What a user is in a room, and what the room is.
--
-- Work: O(1).
--
-- KEYS 1 epoch   2 conversation   3 members   4 rules
-- ARGV 1 user ('' = nobody)
-- Reply: {epoch ('' = the partition is closed, nothing is known), 1 if the room exists, role 0–3, 1 if banned, 1 if muted, head, members,
--         the settings as JSON}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {''} end

local time = redis.call('TIME')
local s = standing(KEYS[2], KEYS[3], KEYS[4], ARGV[1], time[1] * 1000 + math.floor(time[2] / 1000))
return {
  lived(epoch, s.life), s.exists and 1 or 0, s.role, s.banned and 1 or 0, s.muted and 1 or 0, s.head,
  redis.call('HLEN', KEYS[3]), settings(KEYS[4]),
}
