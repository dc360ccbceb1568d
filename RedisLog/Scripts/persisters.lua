#!lua flags=allow-oom
-- Says that a PersistenceService replica is alive, forgets those that are not, and counts.
-- Runs on a full Redis too: without an owner no log would be committed and trimmed, and it would stay full.
--
-- Work: O(log n) in the replicas.
--
-- KEYS 1 the living replicas
-- ARGV 1 the caller   2 now, Unix milliseconds   3 until when the caller counts as alive
-- Reply: how many are alive
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
return redis.call('ZCARD', KEYS[1])
