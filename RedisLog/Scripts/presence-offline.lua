-- Takes users offline whose grace period is over.
--
-- Work: O(ARGV 2 + users named in the call). A user leaves that many rooms in one call; of one with more, the rest is left to the next.
-- Such a user is no longer online, and stays due. If they come back in between, they arrive anew, which puts them into all their rooms.
--
-- ARGV 1 now   2 most rooms to take users out of   3.. users
-- Reply: {how many went offline, 1 if somebody has rooms left (call again) else 0}
local gone, left = 0, tonumber(ARGV[2])
for i = 3, #ARGV do
  local user = ARGV[i]
  local due = tonumber(redis.call('ZSCORE', GRACE, user))
  if due and due <= now then
    if redis.call('EXISTS', USER_ .. user) == 1 then
      redis.call('ZREM', GRACE, user)
    else
      if left <= 0 then return {gone, 1} end
      if redis.call('SREM', ONLINE, user) == 1 then gone = gone + 1 end
      redis.call('HDEL', PROFILES, user)
      redis.call('ZREM', ARRIVALS, user)
      for _, room in ipairs(redis.call('SRANDMEMBER', IN_ .. user, left)) do
        exit(room, user)
        left = left - 1
      end
      if redis.call('EXISTS', IN_ .. user) == 1 then return {gone, 1} end
      redis.call('ZREM', GRACE, user)
    end
  end
end
return {gone, 0}
