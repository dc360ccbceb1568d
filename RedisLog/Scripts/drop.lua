#!lua flags=allow-oom
-- Deletes a string if it still holds the value that the caller has seen: gives back a lease, or closes the partition of that epoch.
-- Runs on a full Redis too: what it does is what lets the log be trimmed.
--
-- Work: O(1).
--
-- KEYS 1 the string
-- ARGV 1 the value
-- Reply: 1 if it was deleted
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
