-- Appends a batch of events to the log of one partition: for each event looks up its nonce, assigns the next seq of its
-- conversation, writes the tail; then, once for all of them, log, heads and nonces, and one message per conversation to its members.
-- All or nothing per event; a conversation's events are handled in the order given.
--
-- Redis' time goes into calls from Lua and into making strings (each is hashed over its whole length), so what can be written for many
-- events at once is, and a conversation's message is made once: it is published and stands in the log as it is. EventBatch.cs describes
-- it; LogEntry.cs describes the log's entry.
--
-- Work: O(1) for an event, and O(bytes). AppendBatch bounds both: 256 events, 64 of them edits, deletes or reactions, 256 KiB. A delete
-- rewrites the message and its edits, of which there are at most ARGV 6, and is the last of its call. (A list of edits from before that
-- bound is walked once, down to the beginning of the tail.) A trim takes at most 1,000 entries with each event, and those were added.
--
-- KEYS 1 epoch   2 log   3 nonces of today   4 of yesterday   5 of tomorrow (another node's clock may already be there)
--      6 moves   7 rung   8.. for each conversation of the batch: conversation, tail, members, revisions, rules
-- ARGV 1 seconds that a nonce hash is kept   2 events that a tail keeps although they are committed   3 bell channel
--      4 number of events   5 bytes of committed events that a tail keeps   6 most edits of a message   7 most different emojis on a message
--      8 most changes that one user makes to their reactions to a message   9.. the events' nonce fields, in the order of the events below
--      then for each conversation: its stored key · channel · second channel ('' = none) · number of its events
--        and for each of these: 'id timestamp' for a repeated ack · record · conditions ('' = none), seven words and the emoji:
--          'S': the server sends, '-': the sender's token does not let them moderate, '*': neither
--          · user who must be a member · seq of the message that it refers to · 'edit', 'delete' or 'react'
--          · its sender, who must be the author of what is edited or deleted. '*' stands for: not checked here; '!': not the author, and
--            may delete it as a moderator only · its sender · seq of the event that it replies to
--          · the emoji of a reaction that is not taken back
-- Reply: the epoch ('' = the partition is closed, nothing was done), then for each event, in the order given
--        an integer > 0: its seq · -1: not a member · -2: no such message, or no such event to reply to · -3: not its author
--        -4: the message is older than the tail: check it elsewhere and send the event again
--        -5: the message takes no more such changes · -6: the message has as many emojis as it may
--        -7: the sender is muted, or only moderators send · -8: there is no such room for the sender
--        a string 'seq epoch id timestamp': the first ack of a repeated nonce
--        a string 'number epoch': one of the numbers above, of a room whose log began anew in this epoch
-- rules.lua describes a conversation's field `rules`, and decides the same where it stands before a script. Here the decision is made for
-- every event, so only what a room has switched on is looked up.
local call, format = redis.call, string.format
local epoch = call('GET', KEYS[1])
if not epoch then return {''} end

local mostEdits, mostEmojis, mostChanges = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
-- No list of as many seqs is longer.
local longest = 20 * mostEdits

-- The type and the sender of a record. The content, which may be long, is not read.
local function of(record)
  local type, from = string.match(record, '^{"type":"(%a+)","id":"[^"]*","%a+":"[^"]*","from":"([^"]*)"')
  if type then return type, from end
  local message = cjson.decode(record)
  return message.type, message.from
end

-- The type and the sender of what stands in a tail; false where it does not. Each is read once for a call.
local read = {}
local function find(tail, seq)
  local key = tail .. ' ' .. seq
  if read[key] == nil then
    local entry = call('XRANGE', tail, seq .. '-0', seq .. '-0')[1]
    read[key] = entry and {of(entry[2][2])} or false
  end
  return read[key]
end

-- Whether the user may delete what others wrote.
local function moderates(rules, user, authority)
  if authority == 'S' then return true end
  if authority == '-' then return false end
  local role = call('HGET', rules, 'role:' .. user)
  return role == 'moderator' or role == 'owner'
end

-- Why the rules of a room refuse an event, as a reply; nil when they do not.
local function barred(members, rules, letters, record, authority)
  if string.find(letters, 'x', 1, true) then return -8 end
  if authority == 'S' then return nil end
  local type, user = of(record)
  if call('HEXISTS', members, user) == 0 then return string.find(letters, 'p', 1, true) and -8 or -1 end
  if type == 'delete' then return nil end
  if string.find(letters, 'u', 1, true) then
    local mute = call('HGET', rules, 'mute:' .. user)
    local ends = mute and tonumber(string.match(mute, '^%d+'))
    if ends and (ends == 0 or ends > call('TIME')[1] * 1000) then return -7 end
  end
  if type ~= 'react' and string.find(letters, 'm', 1, true) and not moderates(rules, user, authority) then return -7 end
  return nil
end

-- Why an edit, delete or reaction of the message at `target` cannot be accepted, as a reply; nil when it can.
local function refusal(tail, revisions, rules, first, head, target, kind, sender, user, authority)
  if target < first or target > head then return -2 end
  local message = find(tail, target)
  if not message then
    if call('HEXISTS', revisions, target) == 1 then return -2 end
    if sender == '*' then return nil end
    if sender == '!' then return not moderates(rules, user, authority) and -3 or nil end
    return -4
  end
  if message[1] ~= 'room' and message[1] ~= 'dm' then return -2 end
  if sender ~= '*' and kind ~= 'react' and message[2] ~= sender and (kind ~= 'delete' or not moderates(rules, user, authority)) then
    return -3
  end
  return nil
end

-- The same for what a message has too many of.
local function excess(revisions, target, kind, sender, user, emoji)
  if kind == 'edit' then
    local length = call('HSTRLEN', revisions, 'edits:' .. target)
    if length > longest then return -5 end
    if length > 0 and select(2, string.gsub(call('HGET', revisions, 'edits:' .. target), '%d+', '')) >= mostEdits then return -5 end
  elseif kind == 'react' then
    local changes = call('HGET', revisions, 'by:' .. target .. ':' .. user)
    if changes and tonumber(string.match(changes, '^%d+')) >= mostChanges then return -5 end
    -- Of a message older than the tail the caller has counted them.
    if emoji ~= '' and sender ~= '*' and call('HEXISTS', revisions, 'emoji:' .. target .. ':' .. emoji) == 0
      and tonumber(string.match(call('HGET', revisions, 'emojis:' .. target) or '0', '^%d+')) >= mostEmojis then return -6 end
  end
  return nil
end

-- A record without its content. In JSON no quote stands in a text as it is, so the first end of the content that is found is its end.
local function emptied(record)
  local _, first = string.find(record, ',"content":"', 1, true)
  local last = first and string.find(record, '","timestamp":', first, true)
  if last and string.sub(record, -1) == '}' then
    -- Mentions and meta stand at the end, and may contain each other's names: what comes first is the beginning of both.
    local mentions, meta = string.find(record, ',"mentions":[', last, true), string.find(record, ',"meta":{', last, true)
    local rest = math.min(mentions or #record, meta or #record)
    return string.sub(record, 1, first) .. string.sub(record, last, rest - 1) .. ',"deleted":true}'
  end
  local message = cjson.decode(record)
  message.mentions = nil
  message.meta = nil
  message.content = ''
  message.deleted = true
  return cjson.encode(message)
end

-- Takes the content out of an entry of the tail. A stream entry cannot be changed: it goes, and what is left of it stands in revisions.
local function redact(tail, revisions, seq)
  local entry = call('XRANGE', tail, seq .. '-0', seq .. '-0')[1]
  if not entry then return end
  call('XDEL', tail, seq .. '-0')
  call('HSET', revisions, seq, emptied(entry[2][2]))
  read[tail .. ' ' .. seq] = false
end

-- The seqs of a list of edits that the tail has; a list from before the bound may have many more.
local function within(edits, oldest)
  local seqs = {}
  for seq in string.gmatch(edits, '%d+') do
    if tonumber(seq) >= oldest then seqs[#seqs + 1] = seq end
  end
  return seqs
end

-- Forgets what is only about events before `oldest`, where the tail need not reach back to. Each revision adds one field, seldom more, and
-- looks at four, so what nobody needs stays a fraction of the hash.
local function forget(revisions, oldest)
  for _, field in ipairs(call('HRANDFIELD', revisions, 4)) do
    local last = tonumber(field)
    if not last then
      local value = call('HGET', revisions, field)
      last = tonumber(string.match(value, '%d+$'))
      if last >= oldest and #value > longest and string.sub(field, 1, 6) == 'edits:' then
        call('HSET', revisions, field, table.concat(within(value, oldest), ' '))
      end
    end
    if last < oldest then call('HDEL', revisions, field) end
  end
end

-- What an accepted edit, deletion or reaction does to the events in the tail, and to what is known of its message. Each value but a record
-- ends in the seq of the last event that it is about.
local function revise(tail, revisions, kind, target, seq, oldest, user, emoji)
  if kind == 'edit' then
    -- Which events hold content of the message, should it be deleted.
    local edits = call('HGET', revisions, 'edits:' .. target)
    call('HSET', revisions, 'edits:' .. target, edits and edits .. ' ' .. seq or seq)
  elseif kind == 'react' then
    local by = 'by:' .. target .. ':' .. user
    local changes = tonumber(string.match(call('HGET', revisions, by) or '0', '^%d+')) + 1
    call('HSET', revisions, by, changes .. ' ' .. seq)
    if emoji ~= '' then
      local field = 'emoji:' .. target .. ':' .. emoji
      if call('HSET', revisions, field, seq) == 1 then
        local number = tonumber(string.match(call('HGET', revisions, 'emojis:' .. target) or '0', '^%d+')) + 1
        call('HSET', revisions, 'emojis:' .. target, number .. ' ' .. seq)
      end
    end
  elseif kind == 'delete' then
    redact(tail, revisions, target)
    local edits = call('HGET', revisions, 'edits:' .. target)
    local first = edits and call('XRANGE', tail, '-', '+', 'COUNT', 1)[1]
    if first then
      for _, edit in ipairs(within(edits, tonumber(string.match(first[1], '^%d+')))) do redact(tail, revisions, edit) end
    end
    call('HDEL', revisions, 'edits:' .. target, 'emojis:' .. target)
  end
  forget(revisions, oldest)
end

local log, today, events = KEYS[2], KEYS[3], tonumber(ARGV[4])
local keep, generation = tonumber(ARGV[2]), tonumber(ARGV[5]) / 2
-- Most events in one message; an entry of the log is full with twice as many. Consumers count messages and entries, so none may be much
-- larger than the others.
local most = 32

-- Nonce field → first ack, of those that were used before; the events of this batch come in as they are accepted.
local acks = {}
for d = 3, 5 do
  if d == 3 or call('EXISTS', KEYS[d]) == 1 then
    local found = call('HMGET', KEYS[d], unpack(ARGV, 9, 8 + events))
    for i = 1, events do
      if found[i] and not acks[ARGV[8 + i]] then acks[ARGV[8 + i]] = found[i] end
    end
  end
end

local reply, failure = {epoch}, nil
local entry, size, nonces = {}, 0, {}
local usual = ' ' .. epoch .. ' '
local place

-- Tells the members of consecutive events, and puts them down for the log.
local function publish(conversation, channel, second, first, records)
  size = size + #records
  records[1] = 'E' .. place .. format('%d', first) .. ' ' .. records[1]
  local message = table.concat(records, '\n')
  call('PUBLISH', channel, message)
  if second ~= '' then call('PUBLISH', second, message) end
  entry[#entry + 1] = conversation
  entry[#entry + 1] = message
  if size >= most then
    call('XADD', log, '*', unpack(entry))
    entry, size = {}, 0
  end
end

local nonceAt, at = 9, 9 + events
for keys = 8, #KEYS, 5 do
  local conversation, channel, second, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local tail, revisions, rules = KEYS[keys + 1], KEYS[keys + 3], KEYS[keys + 4]
  local state = call('HMGET', KEYS[keys], 'head', 'durable', 'span', 'rules')
  local letters, life = '', ''
  if state[4] then letters, life = string.match(state[4], '^(%a*)(%d*)$') end
  -- The log of a room that was deleted and came back has an epoch of its own, and knows no nonce of the one before.
  place = life == '' and usual or ' ' .. epoch .. '.' .. life .. ' '
  local first = life == '' and 1 or tonumber(call('HGET', KEYS[keys], 'floor') or 0) + 1
  local head, durable = tonumber(state[1] or 0), tonumber(state[2] or 0)
  -- The tail in two generations by bytes: the older one, above `floor`, goes when the newer one, above `mark`, is full.
  local floor, mark, filled = string.match(state[3] or '0 0 0', '^(%d+) (%d+) (%d+)$')
  floor, mark, filled = tonumber(floor), tonumber(mark), tonumber(filled)
  local before, records = head, {}
  at = at + 4
  for i = 1, count do
    local nonce, record, conditions = ARGV[nonceAt], ARGV[at + 1], ARGV[at + 2]
    local refused = acks[nonce]
    if refused and life ~= '' and string.match(refused, '^%d+ [^ .]*%.?(%d*) ') ~= life then refused = nil end
    local authority, member, target, kind, sender, user, reply_to, emoji
    if conditions ~= '' then
      authority, member, target, kind, sender, user, reply_to, emoji =
        string.match(conditions, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(.*)$')
    end
    if not refused and letters ~= '' then refused = barred(KEYS[keys + 2], rules, letters, record, authority) end
    if not refused and conditions ~= '' then
      if member ~= '*' and call('HEXISTS', KEYS[keys + 2], member) == 0 then
        refused = head == 0 and call('EXISTS', KEYS[keys + 2], rules) == 0 and -8 or -1
      elseif reply_to ~= '*' and (tonumber(reply_to) < first or tonumber(reply_to) > head) then
        -- There are no holes: every seq from the first one up to the head is an event.
        refused = -2
      elseif target ~= '*' then
        refused = refusal(tail, revisions, rules, first, head, tonumber(target), kind, sender, user, authority)
          or excess(revisions, target, kind, sender, user, emoji)
      end
    end
    if refused then
      reply[#reply + 1] = (life == '' or type(refused) == 'string') and refused or refused .. place
    else
      local seq = format('%d', head + 1)
      if filled > generation then floor, mark, filled = mark, head, 0 end
      -- The tail is trimmed to its usual length, but never past what PostgreSQL has: until then it is the only readable copy.
      local oldest = math.min(math.max(head + 1 - keep, floor), durable) + 1
      local added
      if oldest > 1 then
        added = redis.pcall('XADD', tail, 'MINID', '~', format('%d', oldest), 'LIMIT', 1000, seq .. '-0', 'e', record)
      else
        added = redis.pcall('XADD', tail, seq .. '-0', 'e', record)
      end
      if type(added) == 'table' then
        failure = added
        break
      end
      head, filled = head + 1, filled + #record
      if target and target ~= '*' then revise(tail, revisions, kind, target, seq, oldest, user, emoji) end
      local ack = seq .. place .. ARGV[at]
      acks[nonce] = ack
      nonces[#nonces + 1] = nonce
      nonces[#nonces + 1] = ack
      reply[#reply + 1] = life == '' and head or seq .. place
      records[#records + 1] = record
      if #records == most then
        publish(conversation, channel, second, head - most + 1, records)
        records = {}
      end
    end
    nonceAt, at = nonceAt + 1, at + 3
  end

  if head > before then
    call('HSET', KEYS[keys], 'head', format('%d', head), 'span', format('%d %d %d', floor, mark, filled))
    -- durable.lua lets an idle tail expire. What is not committed must not.
    if call('PERSIST', tail) == 1 then call('PERSIST', revisions) end
  end
  if #records > 0 then publish(conversation, channel, second, head - #records + 1, records) end
  if failure then break end
end

if size > 0 then call('XADD', log, '*', unpack(entry)) end
if #nonces > 0 then
  call('HSET', today, unpack(nonces))
  call('EXPIRE', today, ARGV[1], 'NX')
  call('INCR', KEYS[6])
  -- The bell is rung once until its owner has heard it: that clears the key before it reads.
  if call('SET', KEYS[7], '1', 'NX') then call('PUBLISH', ARGV[3], '1') end
end
-- What was accepted before the failure stays so: the caller's repeat gets these acks again.
return failure or reply
