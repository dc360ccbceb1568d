-- Tells rooms what changed: names while few are online, otherwise only how many.
--
-- Work: O(names told and forgotten), at most 1,500 of them; a room has at most 1,000 that wait (mark) and ARGV 4 online that are named. A
-- room that finds no place stays due.
--
-- ARGV 1 now   2 shortest time between two tellings of names, ms   3 the same of counts   4 most users online that are told by name
--      5.. pairs: room · its channel
-- Reply: {'online' frames, 'offline' frames, 'presence' frames published, rooms dealt with: call again for the others}
local settle = tonumber(redis.call('HGET', WATCH, 'settle') or 0)
local most = tonumber(ARGV[4])
local frames, work = {0, 0, 0}, 0

-- Writes OnlineFrame, OfflineFrame and PresenceFrame of Contracts/Frames/ServerFrames.cs; identifiers need no escaping. 'F * ' makes it a
-- PubSubMessage.Frame for everybody.
local function tell(channel, kind, type, room, users, count)
  local names, profiles = '', ''
  if users then
    table.sort(users)
    names = ',"users":["' .. table.concat(users, '","') .. '"]'
    local list = {}
    local found = type == 'online' and redis.call('HMGET', PROFILES, unpack(users)) or {}
    for j = 1, #users do
      if found[j] then list[#list + 1] = '"' .. users[j] .. '":' .. found[j] end
    end
    if #list > 0 then profiles = ',"profiles":{' .. table.concat(list, ',') .. '}' end
  end
  redis.call('PUBLISH', channel, 'F * {"type":"' .. type .. '","room":"' .. room .. '"' .. names .. ',"count":' .. count .. profiles .. '}')
  frames[kind] = frames[kind] + 1
end

for i = 5, #ARGV, 2 do
  local room, channel = ARGV[i], ARGV[i + 1]
  local key = DIFF_ .. room
  work = work + redis.call('HLEN', key) + 10
  if work > 1500 and i > 5 then
    frames[4] = (i - 5) / 2
    return frames
  end
  local due = tonumber(redis.call('ZSCORE', DIFFS, room))
  if due and due <= now and settle > now then
    redis.call('ZADD', DIFFS, settle, room)
    redis.call('HSET', key, '*all', '1')
  elseif due and due <= now then
    redis.call('ZREM', DIFFS, room)
    local names, special = {['+'] = {}, ['-'] = {}}, {}
    local state = redis.call('HGETALL', key)
    for j = 1, #state, 2 do
      if names[state[j + 1]] then table.insert(names[state[j + 1]], state[j]) else special[state[j]] = tonumber(state[j + 1]) end
    end
    local count = redis.call('SCARD', ROOM_ .. room)
    local again
    local function may(sign)
      local time = special['*' .. sign] or 0
      if time > now and (not again or time < again) then again = time end
      return time <= now
    end
    if count > most then
      if count ~= special['*count'] and may('#') then
        tell(channel, 3, 'presence', room, nil, count)
        for _, user in ipairs(names['+']) do redis.call('HDEL', key, user) end
        redis.call('HDEL', key, '*all')
        redis.call('HSET', key, '*count', count, '*#', now + tonumber(ARGV[3]))
      end
    else
      -- Members who heard only counts, or nothing while the state was lost, hear every name, and can keep the count themselves again.
      local all = special['*count'] or special['*all']
      if #names['-'] > 0 and may('-') then
        tell(channel, 2, 'offline', room, names['-'], count)
        for _, user in ipairs(names['-']) do redis.call('HDEL', key, user) end
        redis.call('HSET', key, '*-', now + tonumber(ARGV[2]))
      end
      if (all or #names['+'] > 0) and may('+') then
        for _, user in ipairs(names['+']) do redis.call('HDEL', key, user) end
        redis.call('HDEL', key, '*all', '*count')
        if all then
          names['+'] = redis.call('SMEMBERS', ROOM_ .. room)
          work = work + #names['+']
        end
        if #names['+'] > 0 then tell(channel, 1, 'online', room, names['+'], count) end
        redis.call('HSET', key, '*+', now + tonumber(ARGV[2]))
      end
      if not again then redis.call('PEXPIRE', key, 60000) end
    end
    if again then redis.call('ZADD', DIFFS, again, room) end
  end
end
frames[4] = (#ARGV - 4) / 2
return frames
