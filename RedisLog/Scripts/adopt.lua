-- Gives a room from before there were roles its owner, as PostgreSQL has it. Needs rules.lua. Repeating it changes nothing.
--
-- Work: O(1).
--
-- KEYS 1 epoch   2 members   3 rules
-- ARGV 1 user   2 '1': the user is a member in PostgreSQL, '0': was the last one to leave
-- Reply: 1 if the room was changed
if not redis.call('GET', KEYS[1]) or redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  assign(KEYS[3], ARGV[1], 0, 3)
  redis.call('HSET', KEYS[3], 'plain', '1')
  return 1
end
if ARGV[2] == '0' and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[3], 'heir', '1', 'plain', '1')
  return 1
end
return 0
