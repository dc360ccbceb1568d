#!lua flags=allow-oom
-- Moves records that PostgreSQL refuses, all those of one entry of the log, to the dead letters, once, however often it is delivered.
-- LogEntry.cs describes a dead letter.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
--
-- Work: O(records), of which one entry of the log has at most 63.
--
-- KEYS 1 log   2 dead letters   3.. for each record: its conversation
-- ARGV 1 consumer group   2 entry id
--      then for each record, six: the conversation's stored key · seq · epoch · record · why
--        · '1': the event is not in PostgreSQL, so the conversation's durable mark stays below it
-- Reply: how many were moved (0 = the entry was dealt with before)
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
for i = 3, #KEYS do
  local at = 3 + (i - 3) * 6
  local seq = ARGV[at + 1]
  if ARGV[at + 5] == '1' and tonumber(seq) > 0 then
    local hold = redis.call('HGET', KEYS[i], 'hold')
    if not hold or tonumber(hold) > tonumber(seq) then redis.call('HSET', KEYS[i], 'hold', seq) end
  end
  redis.call('XADD', KEYS[2], '*',
    'c', ARGV[at], 's', seq, 'p', ARGV[at + 2], 'e', ARGV[at + 3], 'id', ARGV[2], 'why', ARGV[at + 4])
end
return #KEYS - 2
