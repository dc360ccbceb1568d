-- Appends a batch of events to the log of one partition: for each event looks up its nonce, assigns the next seq of its
-- conversation, writes tail and log, and publishes it. All or nothing per event; events are handled in the order given.
--
-- KEYS 1 epoch   2 log   3 nonces of today   4 of yesterday   5 of tomorrow (another node's clock may already be there)
--      6.. for each conversation of the batch: conversation, tail, members, revisions
-- ARGV 1 seconds that a nonce hash is kept   2 events that a tail keeps although they are committed   3 bell channel
--      4.. for each event, eleven:
--        number of its conversation in KEYS (from 1) · the conversation's stored key · nonce field
--        user who must be a member ('' = not checked here) · channel · second channel ('' = none)
--        'id timestamp' for a repeated ack · record
--        seq of the message that it refers to ('' = none) · 'edit', 'delete' or 'react' ('' = none)
--        its sender, who must be the author of what is edited or deleted ('' = the caller has checked the target elsewhere)
-- Reply: the epoch ('' = the partition is closed, nothing was done), then for each event
--        an integer > 0: its seq · -1: not a member · -2: no such message · -3: not its author
--        -4: the message is older than the tail: check it elsewhere and send the event again
--        a string 'seq epoch id timestamp': the first ack of a repeated nonce
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {''} end

-- Why an edit, delete or reaction of the message at `target` cannot be accepted, as a reply; nil when it can.
local function refusal(tail, revisions, head, target, kind, sender)
  if target < 1 or target > head then return -2 end
  local entry = redis.call('XRANGE', tail, target .. '-0', target .. '-0')[1]
  if not entry then
    if redis.call('HEXISTS', revisions, target) == 1 then return -2 end
    if sender == '' then return nil end
    return -4
  end
  local message = cjson.decode(entry[2][2])
  if message.type ~= 'room' and message.type ~= 'dm' then return -2 end
  if sender ~= '' and kind ~= 'react' and message.from ~= sender then return -3 end
  return nil
end

-- Takes the content out of an entry of the tail. A stream entry cannot be changed: it goes, and what is left of it stands in revisions.
local function redact(tail, revisions, seq)
  local entry = redis.call('XRANGE', tail, seq .. '-0', seq .. '-0')[1]
  if not entry then return end
  local message = cjson.decode(entry[2][2])
  message.content = ''
  message.deleted = true
  redis.call('XDEL', tail, seq .. '-0')
  redis.call('HSET', revisions, seq, cjson.encode(message))
end

-- Forgets what lies before `oldest`, where the tail need not reach back to: redacted events, and lists of edits that all lie there.
local function trim(revisions, oldest)
  local all = redis.call('HGETALL', revisions)
  for i = 1, #all, 2 do
    local seq = tonumber(all[i]) or tonumber(string.match(all[i + 1], '%d+$'))
    if seq < oldest then redis.call('HDEL', revisions, all[i]) end
  end
end

local log, today = KEYS[2], KEYS[3]
local keep = tonumber(ARGV[2])
local heads, durables, reply = {}, {}, {epoch}
local appended = false
local days = {today}
for d = 4, 5 do
  if redis.call('EXISTS', KEYS[d]) == 1 then days[#days + 1] = KEYS[d] end
end

for i = 4, #ARGV, 11 do
  local conversation = tonumber(ARGV[i])
  local keys = 6 + (conversation - 1) * 4
  local nonce, member, record, target, kind = ARGV[i + 2], ARGV[i + 3], ARGV[i + 7], ARGV[i + 8], ARGV[i + 9]
  if not heads[conversation] then
    local state = redis.call('HMGET', KEYS[keys], 'head', 'durable')
    heads[conversation] = tonumber(state[1] or 0)
    durables[conversation] = tonumber(state[2] or 0)
  end

  local refused = nil
  local first
  for d = 1, #days do
    first = first or redis.call('HGET', days[d], nonce)
  end
  if first then
    refused = first
  elseif member ~= '' and redis.call('HEXISTS', KEYS[keys + 2], member) == 0 then
    refused = -1
  elseif target ~= '' then
    refused = refusal(KEYS[keys + 1], KEYS[keys + 3], heads[conversation], tonumber(target), kind, ARGV[i + 10])
  end

  if refused then
    reply[#reply + 1] = refused
  else
    local seq = heads[conversation] + 1
    heads[conversation] = seq
    -- The tail is trimmed to its usual length, but never past what PostgreSQL has: until then it is the only readable copy.
    local oldest = math.min(seq - keep, durables[conversation]) + 1
    local text = string.format('%d', seq)
    if oldest > 1 then
      redis.call('XADD', KEYS[keys + 1], 'MINID', '~', string.format('%d', oldest), text .. '-0', 'e', record)
    else
      redis.call('XADD', KEYS[keys + 1], text .. '-0', 'e', record)
    end
    redis.call('XADD', log, '*', 'c', ARGV[i + 1], 's', text, 'p', epoch, 'e', record)
    redis.call('HSET', KEYS[keys], 'head', text)
    if kind == 'edit' then
      -- Which events hold content of the message, should it be deleted.
      local edits = redis.call('HGET', KEYS[keys + 3], 'edits:' .. target)
      redis.call('HSET', KEYS[keys + 3], 'edits:' .. target, edits and edits .. ' ' .. text or text)
    elseif kind == 'delete' then
      redact(KEYS[keys + 1], KEYS[keys + 3], target)
      for edit in string.gmatch(redis.call('HGET', KEYS[keys + 3], 'edits:' .. target) or '', '%d+') do
        redact(KEYS[keys + 1], KEYS[keys + 3], edit)
      end
      redis.call('HDEL', KEYS[keys + 3], 'edits:' .. target)
      trim(KEYS[keys + 3], oldest)
    end
    redis.call('HSET', today, nonce, text .. ' ' .. epoch .. ' ' .. ARGV[i + 6])
    local message = 'E ' .. epoch .. ' ' .. text .. ' ' .. record
    redis.call('PUBLISH', ARGV[i + 4], message)
    if ARGV[i + 5] ~= '' then redis.call('PUBLISH', ARGV[i + 5], message) end
    reply[#reply + 1] = seq
    appended = true
  end
end

if appended then
  redis.call('EXPIRE', today, ARGV[1], 'NX')
  redis.call('PUBLISH', ARGV[3], '1')
end
return reply
