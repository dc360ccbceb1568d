-- Counts something that a user may have only so much of in a period, which begins with the first of it.
--
-- Work: O(1).
--
-- KEYS 1 what was spent in this period
-- ARGV 1 how much is spent now   2 most in a period   3 the period, ms
-- Reply: 0: it is counted · > 0: all was spent before, so nothing is counted: the period ends in so many milliseconds
local spent = tonumber(redis.call('GET', KEYS[1]) or 0)
if spent >= tonumber(ARGV[2]) then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX')
return 0
