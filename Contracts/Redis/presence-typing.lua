-- Begins, renews and ends typing, and tells the others where it begins and ends. What is stored is exactly what was told.
--
-- ARGV 1 now   2 when typing that begins or is renewed ends by itself   3 most typists of one room that are told; more are ignored
--      4.. sextuples: 'on', 'off' or 'due' (end it if its time is over) · 'r:room:user' or 'd:user:other' · user · room ('' = direct)
--          · channel · payload
-- Reply: payloads published
local told = 0
for i = 4, #ARGV, 6 do
  local action, member, user, room = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local due = tonumber(redis.call('ZSCORE', TYPISTS, member))
  local tell = false
  if action == 'on' then
    local here
    if room == '' then here = redis.call('SISMEMBER', ONLINE, user) else here = redis.call('SISMEMBER', ROOM_ .. room, user) end
    if here == 1 and (due or room == '' or redis.call('ZCARD', TYPING_ .. room) < tonumber(ARGV[3])) then
      redis.call('ZADD', TYPISTS, ARGV[2], member)
      if room ~= '' then redis.call('ZADD', TYPING_ .. room, ARGV[2], user) end
      tell = not due
    end
  elseif due and (action == 'off' or due <= now) then
    redis.call('ZREM', TYPISTS, member)
    if room ~= '' then redis.call('ZREM', TYPING_ .. room, user) end
    tell = true
  end
  if tell then
    redis.call('PUBLISH', ARGV[i + 4], ARGV[i + 5])
    told = told + 1
  end
end
return told
