-- Asks whether a user may become a member of one more room, and counts the join that follows. The rooms of a user are in another slot than
-- the rooms themselves, so join.lua cannot count them.
--
-- Work: O(log n) in the joins under way, of which there are at most ARGV 3; each is dropped once.
--
-- KEYS 1 the user's rooms   2 the user's joins under way   3 rooms that the user created lately
-- ARGV 1 room   2 now, Unix milliseconds   3 most rooms   4 how long a join may be under way, ms
--      5 '1': the join creates the room   6 most rooms created in a period   7 the period, s
-- Reply: 1: join · -1: too many rooms · -2: too many rooms created
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 1 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])
if not redis.call('ZSCORE', KEYS[2], ARGV[1])
  and redis.call('SCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return -1 end
if ARGV[5] == '1' then
  if tonumber(redis.call('GET', KEYS[3]) or 0) >= tonumber(ARGV[6]) then return -2 end
  redis.call('INCR', KEYS[3])
  redis.call('EXPIRE', KEYS[3], ARGV[7], 'NX')
end
redis.call('ZADD', KEYS[2], tonumber(ARGV[2]) + tonumber(ARGV[4]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
