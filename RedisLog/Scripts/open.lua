-- Opens a partition once everything else is in place: from here on events are accepted.
--
-- Work: O(1).
--
-- KEYS 1 epoch   2 log   3 committed
-- ARGV 1 the new epoch   2 id of the last log entry that PostgreSQL knows as committed ('0-0' = none)
-- Reply: the epoch in force: the new one, or that of the replica that opened it before
local epoch = redis.call('GET', KEYS[1])
if epoch then return epoch end

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

-- Ids order memberships in PostgreSQL: they must not start again below what it has, even where this server's clock is behind.
local info = redis.call('XINFO', 'STREAM', KEYS[2])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    local ms, seq = parts(info[i + 1])
    local oldMs, oldSeq = parts(ARGV[2])
    if ms < oldMs or (ms == oldMs and seq < oldSeq) then redis.call('XSETID', KEYS[2], ARGV[2]) end
  end
end
redis.call('SET', KEYS[3], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
