-- Takes users offline whose grace period is over.
--
-- ARGV 1 now   2.. users
-- Reply: how many went offline
local gone = 0
for i = 2, #ARGV do
  local user = ARGV[i]
  local due = tonumber(redis.call('ZSCORE', GRACE, user))
  if due and due <= now then
    redis.call('ZREM', GRACE, user)
    if redis.call('EXISTS', USER_ .. user) == 0 and redis.call('SREM', ONLINE, user) == 1 then
      for _, room in ipairs(redis.call('SMEMBERS', IN_ .. user)) do exit(room, user) end
      redis.call('ZREM', ARRIVALS, user)
      gone = gone + 1
    end
  end
end
return gone
