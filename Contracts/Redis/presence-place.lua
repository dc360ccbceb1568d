-- Puts a user who came online into the rooms they are a member of.
--
-- ARGV 1 now   2 user   3 the arrival's score when the rooms were read: a room left since then changed it   4.. rooms
-- Reply: 1 if it was done here, 0 if it was done elsewhere or has to be done again
local score = redis.call('ZSCORE', ARRIVALS, ARGV[2])
if not score or tonumber(score) ~= tonumber(ARGV[3]) then return 0 end
redis.call('ZREM', ARRIVALS, ARGV[2])
if redis.call('SISMEMBER', ONLINE, ARGV[2]) == 1 then
  for i = 4, #ARGV do enter(ARGV[i], ARGV[2]) end
end
return 1
