-- Begins, renews and ends typing, and tells the others what changed in a place: a room, or one user's side of a direct conversation. The
-- first change after a quiet interval is told at once, the next ones together when the interval is over; what changed back meanwhile is
-- not told at all.
--
-- Work: O(changes named in the call × ARGV 3): at most 20 changes (TypingHandler.Part), and a place has at most ARGV 3 typists and as many
-- who stopped since it was told.
--
-- ARGV 1 now   2 when typing that begins or is renewed ends by itself   3 most typists of one place that are told; more are ignored
--      4 shortest time between two tellings of one place, ms
--      5.. quadruples: 'on', 'off', 'due' (end it if its time is over) or 'tell' (only tell what waits) · place: 'room' or 'user/other'
--          · user ('' with 'tell') · the place's channel
-- Reply: frames published
local ends, most, interval = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local places, told = {}, 0

local function other(place) return string.match(place, '/(.+)$') end

local function typist(place, user)
  if other(place) then return 'd:' .. place end
  return 'r:' .. place .. ':' .. user
end

-- Writes TypingFrame of Contracts/Frames/ServerFrames.cs, as a PubSubMessage.Frame. In a direct conversation 'to' names the other user as
-- the receiver sees them: the typist.
local function tell(place, user, active)
  local except, where = user, '"room":"' .. place
  if other(place) then except, where = '*', '"to":"' .. user end
  redis.call('PUBLISH', places[place],
    'F ' .. except .. ' {"type":"typing","from":"' .. user .. '",' .. where .. '","active":' .. active .. '}')
  told = told + 1
end

for i = 5, #ARGV, 4 do
  local action, place, user = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  places[place] = ARGV[i + 3]
  local member = typist(place, user)
  local due = tonumber(redis.call('ZSCORE', TYPISTS, member))
  if action == 'on' then
    local here
    if other(place) then here = redis.call('SISMEMBER', ONLINE, user) else here = redis.call('SISMEMBER', ROOM_ .. place, user) end
    local known = redis.call('ZSCORE', TYPING_ .. place, user)
    if here == 1 and (due or known or redis.call('ZCARD', TYPING_ .. place) + redis.call('SCARD', TYPED_ .. place) < most) then
      redis.call('ZADD', TYPISTS, ends, member)
      if known then redis.call('ZADD', TYPING_ .. place, ends, user) else redis.call('SADD', TYPED_ .. place, user) end
    end
  elseif due and (action == 'off' or (action == 'due' and due <= now)) then
    redis.call('ZREM', TYPISTS, member)
    redis.call('SADD', TYPED_ .. place, user)
  end
end

for place in pairs(places) do
  local at = tonumber(redis.call('ZSCORE', TELLINGS, place))
  if not at or at <= now then
    local users = redis.call('SMEMBERS', TYPED_ .. place)
    local before = told
    for _, user in ipairs(users) do
      local typing = redis.call('ZSCORE', TYPISTS, typist(place, user))
      local known = redis.call('ZSCORE', TYPING_ .. place, user)
      if typing and not known then
        redis.call('ZADD', TYPING_ .. place, typing, user)
        tell(place, user, 'true')
      elseif known and not typing then
        redis.call('ZREM', TYPING_ .. place, user)
        tell(place, user, 'false')
      end
    end
    redis.call('DEL', TYPED_ .. place)
    -- Kept for an interval although nothing waits: it is what the next change waits for.
    if told > before then redis.call('ZADD', TELLINGS, now + interval, place) else redis.call('ZREM', TELLINGS, place) end
  end
end
return told
