using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>
/// The events of one call of append.lua: builds its keys and arguments, reads its reply. Belongs to one publisher and is used again for
/// the next call; not thread-safe.
/// </summary>
internal sealed class AppendBatch(int partition, ConversationLogOptions options)
{
    private const int KeysPerConversation = 4;
    private const int ArgumentsPerEvent = 11;

    private readonly List<AppendRequest> _requests = [];
    private readonly List<byte[]> _records = [];
    private int _bytes;

    public int Count => _requests.Count;

    public IReadOnlyList<AppendRequest> Requests => _requests;

    public bool IsFull => _requests.Count >= options.BatchEvents || _bytes >= options.BatchBytes;

    public void Add(in AppendRequest request)
    {
        var record = LogRecordCodec.Encode(request.Event);
        _requests.Add(request);
        _records.Add(record);
        _bytes += record.Length;
    }

    public void Clear()
    {
        _requests.Clear();
        _records.Clear();
        _bytes = 0;
    }

    /// <summary>Keys and arguments in the order that append.lua documents.</summary>
    public (RedisKey[] Keys, RedisValue[] Arguments) ToCall(long nowUnixMilliseconds)
    {
        var day = RedisKeys.NonceDay(nowUnixMilliseconds);
        var keys = new List<RedisKey>(5 + KeysPerConversation * _requests.Count)
        {
            RedisKeys.Epoch(partition),
            RedisKeys.Log(partition),
            RedisKeys.Nonces(partition, day),
            RedisKeys.Nonces(partition, day - 1),
            RedisKeys.Nonces(partition, day + 1),
        };
        var arguments = new RedisValue[3 + ArgumentsPerEvent * _requests.Count];
        arguments[0] = RedisKeys.NonceSeconds;
        arguments[1] = options.TailKeep;
        arguments[2] = RedisChannels.LogBell(partition);
        var numbers = new Dictionary<ConversationKey, int>(_requests.Count);
        for (var i = 0; i < _requests.Count; i++)
        {
            var e = _requests[i].Event;
            if (!numbers.TryGetValue(e.Conversation, out var number))
            {
                number = numbers.Count + 1;
                numbers.Add(e.Conversation, number);
                keys.Add(RedisKeys.Conversation(e.Conversation));
                keys.Add(RedisKeys.Tail(e.Conversation));
                keys.Add(RedisKeys.Members(e.Conversation));
                keys.Add(RedisKeys.Revisions(e.Conversation));
            }
            var (channel, second) = ConversationChannels.Of(e.Conversation);
            var at = 3 + ArgumentsPerEvent * i;
            arguments[at] = number;
            arguments[at + 1] = e.Conversation.Value;
            arguments[at + 2] = NonceField.Of(e.Conversation, e.From, e.Nonce);
            arguments[at + 3] = _requests[i].RequireMember ? e.From : "";
            arguments[at + 4] = channel;
            arguments[at + 5] = second;
            arguments[at + 6] = string.Create(CultureInfo.InvariantCulture, $"{e.Id} {e.Timestamp}");
            arguments[at + 7] = _records[i];
            arguments[at + 8] = e.Target > 0 ? e.Target : "";
            arguments[at + 9] = e.Target > 0 ? LogRecordCodec.NameOf(e.Kind) : "";
            arguments[at + 10] = _requests[i].TargetChecked ? "" : e.From;
        }
        return ([.. keys], arguments);
    }

    /// <summary>Reads the reply. Null when the partition is closed: nothing was done.</summary>
    /// <exception cref="FormatException">The reply is not append.lua's.</exception>
    public AppendResult[]? ReadReply(RedisResult reply)
    {
        var items = (RedisResult[]?)reply;
        var epoch = items is { Length: > 0 } ? (string?)items[0] : null;
        if (epoch is "")
            return null;
        if (epoch is null || items!.Length != _requests.Count + 1)
            throw new FormatException($"append.lua answered {items?.Length ?? 0} items for {_requests.Count} events.");
        var results = new AppendResult[_requests.Count];
        for (var i = 0; i < results.Length; i++)
            results[i] = ReadItem(items[i + 1], _requests[i].Event, epoch);
        return results;
    }

    private static AppendResult ReadItem(RedisResult item, ConversationEvent e, string epoch)
    {
        if (item.Resp2Type == ResultType.Integer)
        {
            var seq = (long)item;
            return seq switch
            {
                > 0 => new AppendResult(AppendStatus.Accepted, e.Id, seq, epoch, e.Timestamp, 0),
                -1 => AppendResult.Refused(AppendStatus.NotMember, epoch),
                -2 => AppendResult.Refused(AppendStatus.NoSuchTarget, epoch),
                -3 => AppendResult.Refused(AppendStatus.NotAuthor, epoch),
                -4 => AppendResult.Refused(AppendStatus.TargetNotInTail, epoch),
                _ => throw new FormatException($"append.lua answered {seq} for an event."),
            };
        }
        var first = ((string?)item ?? "").Split(' ');
        if (first.Length != 4)
            throw new FormatException("A remembered nonce is not 'seq epoch id timestamp'.");
        return new AppendResult(
            AppendStatus.Duplicate,
            Guid.Parse(first[2], CultureInfo.InvariantCulture),
            long.Parse(first[0], CultureInfo.InvariantCulture),
            first[1],
            long.Parse(first[3], CultureInfo.InvariantCulture),
            0);
    }
}
