-- Answers what is due, and forgives what fell due while nobody looked.
--
-- Work: O(ARGV 5).
--
-- ARGV 1 now   2 a longer time than this since the last look means that nobody looked, ms   3 length of a lease, ms   4 grace period, ms
--      5 most of each to answer   6 how long the service that noted an arrival has for it before others may, ms
-- Reply: {1 if nobody looked for too long else 0, next time something is due (-1: nothing is),
--         replicas, users in grace, users who arrived, rooms, typists, places of typing}
local last = tonumber(redis.call('HGET', WATCH, 'sweep') or ARGV[1])
-- PresenceService or Redis was away, so nobody could renew a lease or report a return: everybody gets the full time again, counted from
-- the first look. A few at a time; nothing is due before all have it.
local forgiven = redis.call('HGET', WATCH, 'forgiving')
local blind = forgiven or now - last > tonumber(ARGV[2])
if blind then
  local from, rest = tonumber(forgiven or now), 0
  for _, key in ipairs({LEASES, GRACE}) do
    local again = string.format('%d', from + tonumber(ARGV[key == LEASES and 3 or 4]))
    local members = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. again, 'LIMIT', 0, ARGV[5])
    for _, member in ipairs(members) do redis.call('ZADD', key, again, member) end
    rest = math.max(rest, #members)
  end
  if rest == tonumber(ARGV[5]) then
    redis.call('HSET', WATCH, 'forgiving', string.format('%d', from))
    return {forgiven and 0 or 1, now, {}, {}, {}, {}, {}, {}}
  end
  redis.call('HDEL', WATCH, 'forgiving')
  blind = not forgiven
end
if now >= last then redis.call('HSET', WATCH, 'sweep', ARGV[1]) end
redis.call('HSETNX', WATCH, 'born', ARGV[1])

local next = -1
local function due(key, at)
  local members = redis.call('ZRANGEBYSCORE', key, '-inf', at, 'LIMIT', 0, ARGV[5])
  local following = redis.call('ZRANGEBYSCORE', key, '(' .. at, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #members > 0 then next = now
  elseif following[2] then
    local time = tonumber(following[2]) + now - tonumber(at)
    if next < 0 or time < next then next = time end
  end
  return members
end

local leases, grace, diffs = due(LEASES, ARGV[1]), due(GRACE, ARGV[1]), due(DIFFS, ARGV[1])
local typists, tellings = due(TYPISTS, ARGV[1]), due(TELLINGS, ARGV[1])
local arrivals = due(ARRIVALS, string.format('%d', now - tonumber(ARGV[6])))
return {blind and 1 or 0, next, leases, grace, arrivals, diffs, typists, tellings}
