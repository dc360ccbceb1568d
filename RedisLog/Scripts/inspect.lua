-- Looks at the state of a partition at one moment.
--
-- Work: O(1): the log has one group, and one entry of it is read.
--
-- KEYS 1 epoch   2 log   3 committed
-- ARGV 1 consumer group   2 id of the last log entry that PostgreSQL knows as committed ('0-0' = none)
-- Reply: {epoch ('' = closed), committed ('' = none), 1 if the entry of ARGV 2 is in the log, 1 if the group exists,
--         entries delivered but not acknowledged, 1 if entries were not delivered yet, entries in the log, consumers}
local epoch = redis.call('GET', KEYS[1]) or ''
local committed = redis.call('GET', KEYS[3]) or ''
if redis.call('EXISTS', KEYS[2]) == 0 then return {epoch, committed, 0, 0, 0, 0, 0, 0} end

local function field(list, name)
  for i = 1, #list, 2 do
    if list[i] == name then return list[i + 1] end
  end
end

-- At rest the log is empty, and what costs most is left out.
local length = redis.call('XLEN', KEYS[2])
local known, last = 0, nil
if length > 0 then
  known = #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])
  last = field(redis.call('XINFO', 'STREAM', KEYS[2]), 'last-generated-id')
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  if field(group, 'name') == ARGV[1] then
    -- The group of an empty log may have begun at 0-0 while the log's ids go on from an earlier life.
    local behind = (length > 0 and field(group, 'last-delivered-id') ~= last) and 1 or 0
    return {epoch, committed, known, 1, field(group, 'pending'), behind, length, field(group, 'consumers')}
  end
end
return {epoch, committed, known, 0, 0, length > 0 and 1 or 0, length, 0}
