-- Applies a part of a replica's report, unless the report is late or its sender unknown.
--
-- Work: O(changes named in the call), of which there are at most 200 (ReportHandler.Part).
--
-- ARGV 1 now   2 when the lease ends   3 replica   4 instance   5 sequence
--      6 'change', 'full' (the first part of a full report: it makes an unknown instance known) or 'more' (a further part of either)
--      7 when a user without connections goes offline   8 how long a last-seen time is kept, ms   9 how long a lost state settles, ms
--      10 length of a lease, ms   11 number of users n
--      12.. n triples: user · connections · profile, JSON ('' = none), then triples: room · user · '1' member, '0' not, 'brief' not any more, and when they were no
--          report said so
-- Reply: {'applied', users who came online…} or {'stale'} (late: ignored) or {'need_full'} (unknown: ignored)
local replica, instance = ARGV[3], ARGV[4]
redis.call('HSETNX', WATCH, 'born', ARGV[1])
local known = redis.call('HMGET', REPLICA_ .. replica, 'instance', 'sequence')

if ARGV[6] == 'more' then
  if known[1] ~= instance or known[2] ~= ARGV[5] then return {'stale'} end
else
  if known[1] == instance and tonumber(ARGV[5]) <= tonumber(known[2]) then return {'stale'} end
  -- Instances are named in the order of their start.
  if known[1] and instance < known[1] then return {'stale'} end
  if known[1] ~= instance and ARGV[6] ~= 'full' then
    -- A replica that believes itself known to a young state: this state has replaced a lost one. All users come back within a few seconds.
    -- Rooms are told once that is over; otherwise they would hear users come online whom they never saw leave.
    local born = tonumber(redis.call('HGET', WATCH, 'born'))
    local oldest = born + tonumber(ARGV[10])
    if now < oldest then redis.call('HSET', WATCH, 'settle', math.min(now + tonumber(ARGV[9]), oldest)) end
    return {'need_full'}
  end
  redis.call('HSET', REPLICA_ .. replica, 'instance', instance, 'sequence', ARGV[5])
  redis.call('ZADD', LEASES, ARGV[2], replica)
end

local reply = {'applied'}
local rooms = 12 + 3 * tonumber(ARGV[11])
for i = 12, rooms - 1, 3 do
  local user, connections = ARGV[i], ARGV[i + 1]
  if connections ~= '0' then
    redis.call('HSET', USERS_ .. replica, user, connections)
    redis.call('HSET', USER_ .. user, replica, connections)
    redis.call('ZREM', GRACE, user)
    if ARGV[i + 2] ~= '' then redis.call('HSET', PROFILES, user, ARGV[i + 2]) else redis.call('HDEL', PROFILES, user) end
    if redis.call('SADD', ONLINE, user) == 1 then
      redis.call('ZADD', ARRIVALS, now, user)
      reply[#reply + 1] = user
    end
  elseif redis.call('HDEL', USERS_ .. replica, user) == 1 then
    drop(user, replica, ARGV[7], now, ARGV[8])
  end
end

for i = rooms, #ARGV, 3 do
  local room, user = ARGV[i], ARGV[i + 1]
  if ARGV[i + 2] ~= '1' then
    -- After a brief membership the user was never in the room here, but others on that replica saw them in their snapshot. In any other
    -- case the room heard of it before: every replica where the user is connected reports the same leave.
    if not exit(room, user) and ARGV[i + 2] == 'brief' then mark(room, user, '-') end
    -- A service that is reading the user's rooms at this moment may have read this one. The new score makes it read again.
    if redis.call('ZSCORE', ARRIVALS, user) then redis.call('ZINCRBY', ARRIVALS, 1, user) end
  elseif redis.call('SISMEMBER', ONLINE, user) == 1 then
    enter(room, user)
  else
    -- Connected, joined and gone between two reports.
    mark(room, user, '-')
  end
end
return reply
