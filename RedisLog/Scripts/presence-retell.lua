-- Has rooms told again who is online, or how many, as soon as they may be told anything: some of their members may have missed it.
--
-- Work: O(rooms named), of which there are at most 200 (ReportHandler.Part).
--
-- ARGV 1 now   2.. rooms
for i = 2, #ARGV do
  local room = ARGV[i]
  local key = DIFF_ .. room
  local soonest = redis.call('HMGET', key, '*+', '*#')
  redis.call('HDEL', key, '*count')
  redis.call('HSET', key, '*all', '1')
  redis.call('PERSIST', key)
  redis.call('ZADD', DIFFS, 'LT', math.max(now, tonumber(soonest[1] or 0), tonumber(soonest[2] or 0)), room)
end
return #ARGV - 1
