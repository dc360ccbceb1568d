-- Ends a user's membership of a room and tells every replica where the user is connected. The last owner stays while others are members,
-- but in a plain room, which a join created and nobody has given rules: there everybody may go.
-- Needs rules.lua. LogRecordCodec describes the record, PubSubMessage.Left the message.
--
-- Work: O(1), whatever the number of members.
--
-- KEYS 1 epoch   2 conversation   3 members   4 log   5 rules
-- ARGV 1 the conversation's stored key   2 room   3 user   4 Unix milliseconds   5 bell channel   6 the user's channel
-- Reply: {epoch ('' = the partition is closed, nothing was done), 1 if the user was a member else 0 · -4 the last owner, nothing was done,
--         the moment in microseconds}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0} end

local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
local user = ARGV[3]
local s = standing(KEYS[2], KEYS[3], KEYS[5], user, math.floor(at / 1000))
local place = lived(epoch, s.life)
local plain = redis.call('HEXISTS', KEYS[5], 'plain') == 1
local alone = redis.call('HLEN', KEYS[3]) <= 1
local last = s.role == 3 and tonumber(redis.call('HGET', KEYS[5], 'owners') or 1) <= 1
if last and not alone and not plain then return {place, -4, at} end

local was = redis.call('HDEL', KEYS[3], user)
if was == 1 then
  assign(KEYS[5], user, s.role, 0)
  -- The room stays, and whoever joins next is its owner.
  local heir = alone and (last or plain)
  if heir then redis.call('HSET', KEYS[5], 'heir', '1') end
  local record = '{"type":"leave","room":"' .. ARGV[2] .. '","user":"' .. user .. '","seq":0,"timestamp":' .. ARGV[4]
  if heir then record = record .. ',"role":"owner"' end
  redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', place, 'e', record .. '}')
  redis.call('PUBLISH', ARGV[5], '1')
end
-- Published for a non-member too: a connection may still be subscribed after Redis lost the membership.
-- The message has its moment: however late a node hears it, it does not end a later join.
redis.call('PUBLISH', ARGV[6], 'L ' .. ARGV[2] .. ' ' .. string.format('%d', at))
return {place, was, at}
