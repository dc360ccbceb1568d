#!lua flags=allow-oom
-- Takes a lease, or renews the caller's own.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
--
-- Work: O(1).
--
-- KEYS 1 the lease
-- ARGV 1 the caller   2 milliseconds
-- Reply: 1 if the caller holds it now, 0 if somebody else does
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
