-- Puts users who came online into the rooms they are members of.
--
-- ARGV 1 now   2.. for each: user · the arrival's score when the rooms were read (a room left since then changed it) · number of rooms
--      · rooms
-- Reply: how many were placed here; the others were elsewhere or have to be read again
local placed, i = 0, 2
while i <= #ARGV do
  local user, last = ARGV[i], i + 2 + tonumber(ARGV[i + 2])
  local score = redis.call('ZSCORE', ARRIVALS, user)
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    redis.call('ZREM', ARRIVALS, user)
    if redis.call('SISMEMBER', ONLINE, user) == 1 then
      for room = i + 3, last do enter(ARGV[room], user) end
    end
    placed = placed + 1
  end
  i = last + 1
end
return placed
