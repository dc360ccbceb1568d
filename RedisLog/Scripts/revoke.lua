-- Revokes the tokens of a user that were issued until now. Later the order to close their sockets follows in the stream of orders.
-- LogRecordCodec describes the record.
--
-- Work: O(log n) in the users whose tokens were ever revoked.
--
-- KEYS 1 epoch   2 revoked   3 log
-- ARGV 1 the stored key of the user's own conversation   2 user   3 now, Unix milliseconds   4 bell channel
-- Reply: {epoch ('' = the partition is closed, nothing was done), the moment until which tokens are revoked}
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'', 0} end

redis.call('ZADD', KEYS[2], 'GT', ARGV[3], ARGV[2])
redis.call('XADD', KEYS[3], '*', 'c', ARGV[1], 's', '0', 'p', epoch,
  'e', '{"type":"revoke","user":"' .. ARGV[2] .. '","timestamp":' .. ARGV[3] .. '}')
redis.call('PUBLISH', ARGV[4], '1')
return {epoch, redis.call('ZSCORE', KEYS[2], ARGV[2])}
