#!lua flags=allow-oom
-- Moves a log entry that PostgreSQL refuses to the dead letters, once, however often it is delivered.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
--
-- KEYS 1 log   2 dead letters   3 conversation
-- ARGV 1 consumer group   2 entry id   3 the conversation's stored key   4 seq   5 epoch   6 record   7 why
--      8 '1': the event is not in PostgreSQL, so the conversation's durable mark stays below it
-- Reply: the dead letter's id ('' = the entry was dealt with before)
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return '' end
if ARGV[8] == '1' and tonumber(ARGV[4]) > 0 then
  local hold = redis.call('HGET', KEYS[3], 'hold')
  if not hold or tonumber(hold) > tonumber(ARGV[4]) then redis.call('HSET', KEYS[3], 'hold', ARGV[4]) end
end
return redis.call('XADD', KEYS[2], '*', 'c', ARGV[3], 's', ARGV[4], 'p', ARGV[5], 'e', ARGV[6], 'id', ARGV[2], 'why', ARGV[7])
