#!lua flags=allow-oom
-- Acknowledges log entries that are committed (or buried) and trims the log up to the first entry that is not.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
--
-- Work: O(ids), of which there are at most PersistenceOptions.BatchSize and the events of one entry more; and at most 20,000 entries
-- trimmed, a long backlog in several calls.
--
-- KEYS 1 log   2 committed
-- ARGV 1 consumer group   2 id of the last log entry that PostgreSQL knows as committed ('' = no news)   3.. ids to acknowledge
-- Reply: entries left in the log
for i = 3, #ARGV, 1000 do
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

if ARGV[2] ~= '' then
  local ms, seq = parts(ARGV[2])
  local oldMs, oldSeq = parts(redis.call('GET', KEYS[2]) or '0-0')
  if ms > oldMs or (ms == oldMs and seq > oldSeq) then redis.call('SET', KEYS[2], ARGV[2]) end
end

-- What is delivered and not pending is acknowledged, hence committed. So the group itself says how far the log may go.
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
local first = pending[1] > 0 and pending[2]
if not first then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local name, last
    for i = 1, #group, 2 do
      if group[i] == 'name' then name = group[i + 1] elseif group[i] == 'last-delivered-id' then last = group[i + 1] end
    end
    if name == ARGV[1] then
      local ms, seq = string.match(last, '^(%d+)-(%d+)$')
      first = ms .. '-' .. string.format('%d', tonumber(seq) + 1)
    end
  end
end
if first then
  if redis.call('XLEN', KEYS[1]) > 20000 then redis.call('XTRIM', KEYS[1], 'MINID', '~', first, 'LIMIT', 20000)
  else redis.call('XTRIM', KEYS[1], 'MINID', first) end
end
return redis.call('XLEN', KEYS[1])
