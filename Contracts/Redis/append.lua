-- Appends a batch of events to the log of one partition: for each event looks up its nonce, assigns the next seq of its
-- conversation, writes tail and log, and publishes it. All or nothing per event; events are handled in the order given.
--
-- KEYS 1 epoch   2 log   3 nonces of today   4 of yesterday   5 of tomorrow (another node's clock may already be there)
--      6.. for each conversation of the batch: conversation, tail, members
-- ARGV 1 seconds that a nonce hash is kept   2 events that a tail keeps although they are committed   3 bell channel
--      4.. for each event, eight:
--        number of its conversation in KEYS (from 1) · the conversation's stored key · nonce field
--        user who must be a member ('' = not checked here) · channel · second channel ('' = none)
--        'id timestamp' for a repeated ack · record
-- Reply: the epoch ('' = the partition is closed, nothing was done), then for each event
--        an integer > 0: its seq · -1: not a member · a string 'seq epoch id timestamp': the first ack of a repeated nonce
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {''} end

local log, today = KEYS[2], KEYS[3]
local keep = tonumber(ARGV[2])
local heads, durables, reply = {}, {}, {epoch}
local appended = false

for i = 4, #ARGV, 8 do
  local conversation = tonumber(ARGV[i])
  local keys = 6 + (conversation - 1) * 3
  local nonce, member, record = ARGV[i + 2], ARGV[i + 3], ARGV[i + 7]

  local first = redis.call('HGET', today, nonce) or redis.call('HGET', KEYS[4], nonce) or redis.call('HGET', KEYS[5], nonce)
  if first then
    reply[#reply + 1] = first
  elseif member ~= '' and redis.call('HEXISTS', KEYS[keys + 2], member) == 0 then
    reply[#reply + 1] = -1
  else
    if not heads[conversation] then
      local state = redis.call('HMGET', KEYS[keys], 'head', 'durable')
      heads[conversation] = tonumber(state[1] or 0)
      durables[conversation] = tonumber(state[2] or 0)
    end
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
