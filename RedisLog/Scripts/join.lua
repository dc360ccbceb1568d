-- Makes a user a member of a room, where they may become one (nothing changes for a member), and answers the room's place at this moment.
-- Who creates the room is its owner, and so is who joins after its last owner left as the last member. Needs rules.lua.
-- LogRecordCodec describes the record.
--
-- Work: O(1), whatever the number of members.
--
-- KEYS 1 epoch   2 conversation   3 members   4 log   5 rules
-- ARGV 1 the conversation's stored key   2 room   3 user   4 Unix milliseconds   5 bell channel
--      6 '1': only look whether the user is a member, and change nothing   7 most members of a room
--      8 what the token grants in this room ('' = it has no claim)   9 '1': a join may create the room
--      10 '1': the user was a member before the log was rebuilt, and is one again unless they were removed meanwhile
-- Reply: {epoch ('' = the partition is closed, nothing was done), head, the user's read cursor,
--         1 newly a member · 0 was a member · -3 no member, and the room has as many as it may · -4 may not become one
--         · -5 there is no such room for the user · -6 the room was deleted, with ARGV 10
--         with ARGV 6 also: -1 no member · -2 no member, and there is no such room yet,
--         the moment in microseconds, by which a leave is known as earlier or later, the user's role 0–3, the settings as JSON}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0, 0, 0, 0, ''} end

local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
local user, rights = ARGV[3], tonumber(ARGV[8])
local s = standing(KEYS[2], KEYS[3], KEYS[5], user, math.floor(at / 1000))
local place = lived(epoch, s.life)

if not s.exists then
  local reason = ARGV[10] == '1' and has(s.letters, 'x') and -6 or (ARGV[9] ~= '1' or not granted(rights, 2)) and -5 or nil
  if reason then return {place, s.head, 0, reason, at, 0, ''} end
else
  local verdict = may(s, 'join', rights)
  if verdict < 1 then return {place, s.head, 0, verdict, at, 0, ''} end
end
if s.cursor then return {place, s.head, tonumber(s.cursor), 0, at, s.role, settings(KEYS[5])} end
if ARGV[10] == '1' and redis.call('HEXISTS', KEYS[5], 'gone:' .. user) == 1 then return {place, s.head, 0, -4, at, 0, ''} end
if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then return {place, s.head, 0, -3, at, 0, ''} end
if ARGV[6] == '1' then return {place, s.head, 0, s.exists and -1 or -2, at, 0, ''} end

local role, created = 1, ''
if not s.exists then
  created = ',"change":"created"'
  redis.call('HSET', KEYS[5], 'created', ARGV[4], 'plain', '1')
  remark(KEYS[2], s.letters, s.life, '', 'pmcux')
end
-- A room from before there were roles has no rules; where nobody is left in it, it is as if its owner had left.
local heir = s.exists and redis.call('EXISTS', KEYS[3]) == 0 and (redis.call('HEXISTS', KEYS[5], 'heir') == 1 or redis.call('EXISTS', KEYS[5]) == 0)
if not s.exists or heir then
  role = 3
  redis.call('HDEL', KEYS[5], 'heir')
  assign(KEYS[5], user, 0, 3)
end
redis.call('HDEL', KEYS[5], 'gone:' .. user)

-- A new member starts at the head: nothing is unread.
local text = string.format('%d', s.head)
redis.call('HSET', KEYS[3], user, text)
local record = '{"type":"join","room":"' .. ARGV[2] .. '","user":"' .. user .. '","seq":' .. text .. ',"timestamp":' .. ARGV[4]
if role > 1 then record = record .. ',"role":"owner"' .. created end
redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', place, 'e', record .. '}')
redis.call('PUBLISH', ARGV[5], '1')
return {place, s.head, s.head, 1, at, role, settings(KEYS[5])}
