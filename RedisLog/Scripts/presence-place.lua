-- Puts users who came online into the rooms they are members of.
--
-- Work: O(rooms named in the call), of which there are at most 250 (ArrivalHandler.Part). A user with more takes several calls.
--
-- ARGV 1 now   2.. for each: user · the arrival's score when the rooms were read (a room left since then changed it)
--      · '1': these are the last of the user's rooms, else '0' · number of rooms · rooms
-- Reply: how many were placed here; the others were elsewhere, have more rooms to come, or have to be read again
local placed, i = 0, 2
while i <= #ARGV do
  local user, last = ARGV[i], i + 3 + tonumber(ARGV[i + 3])
  local score = redis.call('ZSCORE', ARRIVALS, user)
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    if redis.call('SISMEMBER', ONLINE, user) == 1 then
      for room = i + 4, last do enter(ARGV[room], user) end
    end
    if ARGV[i + 2] == '1' then
      redis.call('ZREM', ARRIVALS, user)
      placed = placed + 1
    end
  end
  i = last + 1
end
return placed
