-- What every presence script begins with: the names of its keys and the steps that more than one takes. Each script is one atomic step and
-- may be repeated; work that is due is claimed by the script that does it, so any number of services may try.
--
-- Work: each step is O(1), or O(log n) in the users and rooms that wait for a timer.
--
-- KEYS as in PresenceScripts.Keys; those whose names end in _ are stems: the keys of users, rooms and replicas are built from them (all
--      carry one hash tag, so they are in the slot of the stem). ARGV[1] is always the present, Unix milliseconds.
local WATCH, LEASES, GRACE, ARRIVALS, DIFFS, TYPISTS, ONLINE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local USER_, IN_, ROOM_, DIFF_, TYPING_, SEEN_ = KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local REPLICA_, USERS_ = KEYS[14], KEYS[15]
local TELLINGS, TYPED_, PROFILES = KEYS[16], KEYS[17], KEYS[18]
local now = tonumber(ARGV[1])

-- Most names that wait for one room. Beyond it the room is told all who are online, and how many; the name of a user who left is lost, as
-- in a room that is too large for names.
local MOST_NAMES = 1000

-- Notes that a user came to a room (sign '+') or left it ('-'). A note that was not told yet is replaced, never cancelled: a user who
-- joined in between has the former state in their snapshot and must hear of the change.
local function mark(room, user, sign)
  local key = DIFF_ .. room
  local state = redis.call('HMGET', key, '*count', '*#', '*' .. sign)
  if state[1] then
    if sign == '+' then redis.call('HDEL', key, user)
    elseif redis.call('HLEN', key) < MOST_NAMES then redis.call('HSET', key, user, sign) end
  elseif redis.call('HLEN', key) < MOST_NAMES or redis.call('HEXISTS', key, user) == 1 then
    redis.call('HSET', key, user, sign)
  else
    redis.call('HSET', key, '*all', '1')
  end
  redis.call('PERSIST', key)
  redis.call('ZADD', DIFFS, 'LT', math.max(now, tonumber((state[1] and state[2] or state[3]) or 0)), room)
end

local function enter(room, user)
  if redis.call('SADD', IN_ .. user, room) == 0 then return end
  redis.call('SADD', ROOM_ .. room, user)
  mark(room, user, '+')
end

local function exit(room, user)
  if redis.call('SREM', IN_ .. user, room) == 0 then return false end
  redis.call('SREM', ROOM_ .. room, user)
  redis.call('ZADD', TYPISTS, 'XX', now, 'r:' .. room .. ':' .. user)
  mark(room, user, '-')
  return true
end

-- The user has no connection on the replica any more. If they have none elsewhere either, they go offline when due, unless they come back.
local function drop(user, replica, due, seen, retention)
  redis.call('HDEL', USER_ .. user, replica)
  if redis.call('EXISTS', USER_ .. user) == 0 and redis.call('SISMEMBER', ONLINE, user) == 1 then
    redis.call('ZADD', GRACE, 'NX', due, user)
    redis.call('SET', SEEN_ .. user, string.format('%d', seen), 'PX', retention)
  end
end

