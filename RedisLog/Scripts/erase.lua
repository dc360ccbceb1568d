-- Takes the content out of what one user wrote in a conversation, as far as the tail has it: some entries at a time.
-- LogRecordCodec describes the record that stays.
--
-- Work: O(entries read), of which there are at most ARGV 3, and O(bytes), about 256 KiB: the caller calls again.
--
-- KEYS 1 epoch   2 tail   3 revisions
-- ARGV 1 the user   2 the seq to begin at   3 most entries
-- Reply: {epoch ('' = the partition is closed, nothing was done), the seq to go on at (0 = that was the end), how many lost their content}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0, 0} end

local next, erased, bytes, left = tonumber(ARGV[2]), 0, 262144, tonumber(ARGV[3])
local kinds = {room = true, dm = true, edit = true}
while left > 0 and bytes > 0 do
  local entries = redis.call('XRANGE', KEYS[2], string.format('%d', next), '+', 'COUNT', 8)
  if #entries == 0 then return {epoch, 0, erased} end
  for _, entry in ipairs(entries) do
    local record = entry[2][2]
    bytes, left = bytes - #record, left - 1
    local seq = string.match(entry[1], '^%d+')
    next = tonumber(seq) + 1
    -- Decoded only where the sender may be this user.
    if string.find(record, '"from":"' .. ARGV[1] .. '"', 1, true) then
      local message = cjson.decode(record)
      if message.from == ARGV[1] and kinds[message.type] then
        message.content, message.deleted = '', true
        message.meta, message.mentions = nil, nil
        redis.call('XDEL', KEYS[2], entry[1])
        redis.call('HSET', KEYS[3], seq, cjson.encode(message))
        erased = erased + 1
      end
    end
  end
end
-- What is left expires with the tail, also where the hash is new.
local idle = redis.call('PTTL', KEYS[2])
if erased > 0 and idle > 0 then redis.call('PEXPIRE', KEYS[3], idle) end
return {epoch, next, erased}
