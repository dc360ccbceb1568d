-- What a user is in a room, and what they may do there. Not a script of its own: RedisScripts puts it before those that ask. RoomRules.cs
-- is the same in C#, and a test compares both over all cases.
--
-- A conversation's field `rules` is letters and a number. It is missing where nothing has to be checked: in a public room where all members
-- send, nobody is muted and nobody was ever removed. Letters: p private · m only moderators send · c membership has to be looked at
-- · u somebody is muted · x the room was deleted. The number says how often the room was deleted, and is part of the epoch of its log.
local ROLES = {member = 1, moderator = 2, owner = 3}
local NAMES = {'member', 'moderator', 'owner'}

local function marks(text)
  local letters, life = string.match(text or '', '^(%a*)(%d*)$')
  return letters or 'pc', life or ''
end

local function lived(epoch, life)
  return life == '' and epoch or epoch .. '.' .. life
end

local function has(letters, letter)
  return string.find(letters, letter, 1, true) ~= nil
end

-- Writes the marks: with these letters in force, and those of `off` not.
local function remark(conversation, letters, life, on, off)
  local kept = ''
  for letter in string.gmatch('pmcux', '%a') do
    if (has(letters, letter) or has(on, letter)) and not has(off, letter) then kept = kept .. letter end
  end
  if kept == letters then return end
  if kept .. life == '' then
    redis.call('HDEL', conversation, 'rules')
  else
    redis.call('HSET', conversation, 'rules', kept .. life)
  end
end

-- A ban or mute is 'until by …'; until is in milliseconds, 0 for one that does not end.
local function active(restriction, now)
  if not restriction then return false end
  local ends = tonumber(string.match(restriction, '^%d+'))
  return ends == 0 or ends > now
end

-- `now` in milliseconds.
local function standing(conversation, members, rules, user, now)
  local state = redis.call('HMGET', conversation, 'head', 'rules')
  local facts = redis.call('HMGET', rules, 'role:' .. user, 'ban:' .. user, 'mute:' .. user)
  local letters, life = marks(state[2])
  local cursor = redis.call('HGET', members, user)
  local head = tonumber(state[1] or 0)
  local exists = not has(letters, 'x')
    and (head > 0 or redis.call('EXISTS', rules) == 1 or redis.call('EXISTS', members) == 1)
  return {
    head = head, letters = letters, life = life, exists = exists, cursor = cursor, private = has(letters, 'p'), moderated = has(letters, 'm'),
    role = cursor and (ROLES[facts[1] or 'member'] or 1) or 0, banned = active(facts[2], now), muted = active(facts[3], now),
  }
end

-- Whether a token grants a right: 1 read, 2 join, 4 send, 8 moderate. Without a claim (nil) the room's rules decide alone.
local function granted(rights, right)
  return rights == nil or math.floor(rights / right) % 2 == 1
end

-- The role that counts. The server stands above all.
local function rank(s, rights)
  if s.server then return 4 end
  if s.banned then return 0 end
  if s.role == 0 or granted(rights, 8) then return s.role end
  return 1
end

-- 1: allowed · -4: forbidden · -5: there is no such room, or it must look so
local function may(s, action, rights)
  if not s.exists then return -5 end
  if s.server then return 1 end
  local member = s.role > 0 and not s.banned
  local opened = rights ~= nil and (granted(rights, 1) or granted(rights, 2))
  local seen = not s.private
  if not seen and not s.banned then
    if rights == nil then seen = member else seen = opened end
  end
  local allowed = false
  if action == 'see' then
    allowed = seen and (rights == nil or opened)
  elseif s.banned then
    allowed = false
  elseif action == 'read' or action == 'join' then
    if rights == nil then
      allowed = not s.private or member
    else
      allowed = granted(rights, action == 'read' and 1 or 2)
    end
  elseif action == 'send' or action == 'edit' then
    allowed = member and granted(rights, 4) and not s.muted and (not s.moderated or rank(s, rights) >= 2)
  elseif action == 'react' then
    allowed = member and granted(rights, 4) and not s.muted
  elseif action == 'delete' then
    allowed = member and granted(rights, 4)
  elseif action == 'moderate' then
    allowed = rank(s, rights) >= 2
  elseif action == 'own' then
    allowed = rank(s, rights) >= 3
  elseif action == 'leave' then
    allowed = member
  end
  if allowed then return 1 end
  return seen and -4 or -5
end

-- The room's settings as a JSON object (RoomSettings.cs). Texts and meta are stored as JSON.
local function settings(rules)
  local found = redis.call('HMGET', rules, 'visibility', 'sending', 'name', 'topic', 'meta', 'retentionDays', 'created')
  local json = '"visibility":"' .. (found[1] or 'public') .. '","sending":"' .. (found[2] or 'members') .. '"'
  if found[3] then json = json .. ',"name":' .. found[3] end
  if found[4] then json = json .. ',"topic":' .. found[4] end
  if found[5] then json = json .. ',"meta":' .. found[5] end
  if found[6] then json = json .. ',"retentionDays":' .. found[6] end
  if found[7] then json = json .. ',"created":' .. found[7] end
  return '{' .. json .. '}'
end

-- Sets what a member is; 'member' is not stored. Counts the owners.
local function assign(rules, user, old, new)
  if old == 3 and new ~= 3 then redis.call('HINCRBY', rules, 'owners', -1) end
  if new == 3 and old ~= 3 then redis.call('HINCRBY', rules, 'owners', 1) end
  if new > 1 then
    redis.call('HSET', rules, 'role:' .. user, NAMES[new])
  elseif old > 1 then
    redis.call('HDEL', rules, 'role:' .. user)
  end
end
