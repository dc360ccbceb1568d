-- Notes that a user is known, and how they are shown. The later moment wins, whether a token or the server said it.
-- LogRecordCodec describes the record.
--
-- Work: O(1).
--
-- KEYS 1 epoch   2 users   3 log
-- ARGV 1 the stored key of the user's own conversation   2 user   3 profile, JSON ('' = none)   4 its moment, Unix milliseconds
--      5 bell channel   6 '1': without a profile the user has none from now on; otherwise that says nothing
-- Reply: {epoch ('' = the partition is closed, nothing was done), the profile in force,
--         0 nothing changed · 1 the profile changed · 2 the user was not known}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', '', 0} end

local known = redis.call('HGET', KEYS[2], ARGV[2])
local said = ARGV[3] ~= '' or ARGV[6] == '1'
if known then
  local at, profile = string.match(known, '^(%d+) (.*)$')
  if not said or profile == ARGV[3] or tonumber(at) > tonumber(ARGV[4]) then return {epoch, profile, 0} end
end

redis.call('HSET', KEYS[2], ARGV[2], ARGV[4] .. ' ' .. ARGV[3])
local profile = ''
if said then profile = ',"profile":' .. (ARGV[3] == '' and '{}' or ARGV[3]) end
redis.call('XADD', KEYS[3], '*', 'c', ARGV[1], 's', '0', 'p', epoch,
  'e', '{"type":"profile","user":"' .. ARGV[2] .. '"' .. profile .. ',"timestamp":' .. ARGV[4] .. '}')
redis.call('PUBLISH', ARGV[5], '1')
return {epoch, ARGV[3], known and 1 or 2}
