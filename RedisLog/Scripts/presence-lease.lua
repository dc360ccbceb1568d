-- Ends a lease that was not renewed: the replica's users have no connections there any more. No grace: the lease was longer.
--
-- Work: O(ARGV 5).
--
-- ARGV 1 now   2 replica   3 how long a last-seen time is kept, ms   4 length of a lease, ms   5 most users to take in one call
-- Reply: {1 if the lease had ended else 0, users taken, users left (call again)}
local due = tonumber(redis.call('ZSCORE', LEASES, ARGV[2]))
if not due or due > now then return {0, 0, 0} end
redis.call('DEL', REPLICA_ .. ARGV[2])
local key = USERS_ .. ARGV[2]
local users = redis.call('HRANDFIELD', key, ARGV[5])
for _, user in ipairs(users) do
  redis.call('HDEL', key, user)
  drop(user, ARGV[2], now, due - tonumber(ARGV[4]), ARGV[3])
end
local left = redis.call('HLEN', key)
if left == 0 then redis.call('ZREM', LEASES, ARGV[2]) end
return {1, #users, left}
