-- Changes what a user is in a room, for somebody who may: adds, removes, gives a role, bans, mutes. Needs rules.lua.
-- LogRecordCodec describes the record, PubSubMessage the messages.
--
-- A change that is asked for again is told again, so that a caller who got no answer may repeat it.
--
-- Work: O(1), whatever the number of members; up to 64 fields of the rules are looked at for bans or mutes that have ended.
--
-- KEYS 1 epoch   2 conversation   3 members   4 log   5 rules
-- ARGV 1 the conversation's stored key   2 room   3 Unix milliseconds   4 bell channel   5 the room's channel
--      6 who asks   7 what their token grants in this room ('' = it has no claim, 'S' = the server asks)
--      8 'add', 'remove', 'ban', 'unban', 'mute' or 'unmute'   9 the user   10 the user's channel
--      11 the role ('' = none is named)   12 until when, Unix milliseconds ('0' = for ever)   13 a reason as JSON text ('' = none)
--      14 most members of the room, or most bans or mutes of it   15 ARGV 12 as clients read it ('' = for ever)
-- Reply: {epoch ('' = the partition is closed, nothing was done),
--         1 changed · 2 newly a member · 0 nothing to change · -3 the room has as many as it may · -4 forbidden · -5 no such room for who asks,
--         the moment in microseconds, the id of the log's entry ('' = none)}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {''} end

local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
local now = math.floor(at / 1000)
local conversation, members, rules = KEYS[2], KEYS[3], KEYS[5]
local room, by, op, user, role = ARGV[2], ARGV[6], ARGV[8], ARGV[9], ARGV[11]
local rights = tonumber(ARGV[7])
local a = standing(conversation, members, rules, by, now)
a.server = ARGV[7] == 'S'
local t = standing(conversation, members, rules, user, now)
local place = lived(epoch, a.life)

local verdict = may(a, op == 'add' and role ~= '' and 'own' or 'moderate', rights)
if verdict < 1 then return {place, verdict, at, ''} end
if op == 'add' and t.role > 0 and (role == '' or ROLES[role] == t.role) then return {place, 0, at, ''} end
-- Nobody acts on somebody of a higher or the same role.
if t.role >= rank(a, rights) then return {place, -4, at, ''} end

-- Somebody uses the rules: from now on they hold.
redis.call('HDEL', rules, 'plain')

-- The change as the record and the frame have it.
local function tell(change, fields, seq)
  local id = redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', place,
    'e', '{"type":"member","room":"' .. room .. '","user":"' .. user .. '","change":"' .. change .. '"' .. fields .. ',"by":"' .. by
      .. '","seq":' .. string.format('%d', seq) .. ',"timestamp":' .. ARGV[3] .. '}')
  redis.call('PUBLISH', ARGV[4], '1')
  return id
end

local function frame(change, fields)
  local json = '{"type":"member","room":"' .. room .. '","user":"' .. user .. '","change":"' .. change .. '"' .. fields
    .. ',"by":"' .. by .. '"}'
  redis.call('PUBLISH', ARGV[5], 'F ' .. user .. ' ' .. json)
  redis.call('PUBLISH', ARGV[10], 'F * ' .. json)
end

-- The membership ends. First of all the user's connections hear of it.
local function out(reason)
  if t.role > 0 then
    redis.call('HDEL', members, user)
    assign(rules, user, t.role, 0)
  end
  redis.call('HSET', rules, 'gone:' .. user, string.format('%d', at))
  remark(conversation, a.letters, a.life, 'c', '')
  redis.call('PUBLISH', ARGV[10], 'L ' .. room .. ' ' .. string.format('%d', at) .. ' ' .. reason)
end

-- Counts bans or mutes. False: there are as many as there may be, and none has ended.
local function count(kind, field)
  if redis.call('HEXISTS', rules, field) == 1 then return true end
  if tonumber(redis.call('HGET', rules, kind .. 's') or 0) >= tonumber(ARGV[14]) then
    local ended = 0
    for _, other in ipairs(redis.call('HRANDFIELD', rules, 64)) do
      if string.sub(other, 1, #kind + 1) == kind .. ':' and not active(redis.call('HGET', rules, other), now) then
        ended = ended + redis.call('HDEL', rules, other)
      end
    end
    if ended == 0 then return false end
    redis.call('HINCRBY', rules, kind .. 's', -ended)
  end
  redis.call('HINCRBY', rules, kind .. 's', 1)
  return true
end

if op == 'add' then
  local named = role == '' and 'member' or role
  if t.banned then return {place, -4, at, ''} end
  local fields = ',"role":"' .. named .. '"'
  if t.role > 0 then
    assign(rules, user, t.role, ROLES[named])
    local id = tell('role', fields, tonumber(t.cursor))
    frame('role', fields)
    return {place, 1, at, id}
  end
  if redis.call('HLEN', members) >= tonumber(ARGV[14]) then return {place, -3, at, ''} end
  redis.call('HSET', members, user, string.format('%d', t.head))
  redis.call('HDEL', rules, 'gone:' .. user, 'heir')
  assign(rules, user, 0, ROLES[named])
  local id = tell('added', fields, t.head)
  frame('added', fields)
  return {place, 2, at, id}
end

if op == 'remove' then
  out('removed')
  if t.role == 0 then return {place, 0, at, ''} end
  local id = tell('removed', '', 0)
  frame('removed', '')
  return {place, 1, at, id}
end

local kind = (op == 'ban' or op == 'unban') and 'ban' or 'mute'
local field = kind .. ':' .. user
if op == 'ban' or op == 'mute' then
  if not count(kind, field) then return {place, -3, at, ''} end
  redis.call('HSET', rules, field, ARGV[12] .. ' ' .. by .. ' ' .. ARGV[13])
  local fields = ARGV[12] == '0' and '' or ',"until":' .. ARGV[12]
  local told = ARGV[12] == '0' and '' or ',"until":"' .. ARGV[15] .. '"'
  if op == 'ban' then
    out('banned')
    local id = tell('banned', fields .. (ARGV[13] == '' and '' or ',"reason":' .. ARGV[13]), 0)
    frame('banned', told)
    return {place, 1, at, id}
  end
  remark(conversation, a.letters, a.life, 'u', '')
  local id = tell('muted', fields, 0)
  frame('muted', told)
  return {place, 1, at, id}
end

if redis.call('HDEL', rules, field) == 0 then return {place, 0, at, ''} end
local left = redis.call('HINCRBY', rules, kind .. 's', -1)
if kind == 'mute' and left <= 0 then remark(conversation, a.letters, a.life, '', 'u') end
local change = kind == 'ban' and 'unbanned' or 'unmuted'
local id = tell(change, '', 0)
frame(change, '')
return {place, 1, at, id}
