-- Creates, changes or deletes a room, for somebody who may. Needs rules.lua. LogRecordCodec describes the records.
--
-- A deleted room keeps its head, so that no seq of it is given out twice; its log goes on above that in another epoch, and below it nothing
-- is read any more.
--
-- Work: O(1). Redis frees a tail in the background; the members move to another key, which the caller works through.
--
-- KEYS 1 epoch   2 conversation   3 members   4 log   5 rules   6 tail   7 revisions   8 former members   9 moves
-- ARGV 1 the conversation's stored key   2 room   3 Unix milliseconds   4 bell channel   5 the room's channel
--      6 who asks   7 what their token grants in this room ('' = it has no claim, 'S' = the server asks)
--      8 'create', 'update', 'put' (create, or else update) or 'delete'
--      9 visibility   10 sending   11 name   12 topic   13 meta   14 retentionDays: '' = not named, '-' = none; texts and meta as JSON
--      15 '1': who asks becomes the owner of a new room
-- Reply: {epoch ('' = the partition is closed, nothing was done),
--         1 changed · 2 created · -4 forbidden · -5 no such room for who asks · -6 it exists,
--         the moment in microseconds, the id of the log's entry, the settings as JSON}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {''} end

local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
local conversation, members, rules = KEYS[2], KEYS[3], KEYS[5]
local room, by, op = ARGV[2], ARGV[6], ARGV[8]
local rights = tonumber(ARGV[7])
local s = standing(conversation, members, rules, by, math.floor(at / 1000))
s.server = ARGV[7] == 'S'
local place = lived(epoch, s.life)
local creates = op == 'create' or (op == 'put' and not s.exists)

if creates then
  if s.exists then return {place, -6, at, '', ''} end
  if not s.server and not granted(rights, 2) then return {place, -4, at, '', ''} end
else
  local verdict = may(s, 'own', rights)
  if verdict < 1 then return {place, verdict, at, '', ''} end
end

local function record(change, fields)
  local id = redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', place,
    'e', '{"type":"roomrules","room":"' .. room .. '","change":"' .. change .. '"' .. fields .. ',"by":"' .. by
      .. '","timestamp":' .. ARGV[3] .. '}')
  redis.call('PUBLISH', ARGV[4], '1')
  return id
end

if op == 'delete' then
  local life = string.format('%d', tonumber(s.life == '' and 0 or s.life) + 1)
  local head = string.format('%d', s.head)
  redis.call('HSET', conversation, 'rules', 'x' .. life, 'floor', head)
  redis.call('UNLINK', KEYS[6], KEYS[7], rules)
  if redis.call('EXISTS', members) == 1 then
    redis.call('RENAME', members, KEYS[8])
    redis.call('EXPIRE', KEYS[8], 86400)
  end
  redis.call('INCR', KEYS[9])
  place = lived(epoch, life)
  redis.call('PUBLISH', ARGV[5], 'X ' .. string.format('%d', at))
  return {place, 1, at, record('deleted', ',"seq":' .. head .. ',"life":' .. life), ''}
end

redis.call('HDEL', rules, 'plain')
if creates then redis.call('HSET', rules, 'created', ARGV[3]) end
for i, field in ipairs({'visibility', 'sending', 'name', 'topic', 'meta', 'retentionDays'}) do
  local value = ARGV[8 + i]
  if value == '-' then
    redis.call('HDEL', rules, field)
  elseif value ~= '' then
    redis.call('HSET', rules, field, value)
  end
end
local found = redis.call('HMGET', rules, 'visibility', 'sending')
local private, moderated = found[1] == 'private', found[2] == 'moderators'
remark(conversation, s.letters, s.life, (private and 'pc' or '') .. (moderated and 'mc' or ''),
  (private and '' or 'p') .. (moderated and '' or 'm') .. 'x')
local json = settings(rules)
local id = record(creates and 'created' or 'updated', ',"settings":' .. json)
if creates and ARGV[15] == '1' then
  local head = string.format('%d', s.head)
  redis.call('HSET', members, by, head)
  assign(rules, by, 0, 3)
  id = redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 's', '0', 'p', place,
    'e', '{"type":"join","room":"' .. room .. '","user":"' .. by .. '","seq":' .. head .. ',"timestamp":' .. ARGV[3] .. ',"role":"owner"}')
end
return {place, creates and 2 or 1, at, id, json}
