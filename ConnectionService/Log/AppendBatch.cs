using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>
/// The events of one call of append.lua: builds its keys and arguments, reads its reply. Belongs to one publisher and is used again for
/// the next call; not thread-safe.
/// </summary>
internal sealed class AppendBatch(int partition, ConversationLogOptions options)
{
    private const int FixedKeys = 7;
    private const int KeysPerConversation = 5;
    private const int FixedArguments = 8;
    private const int ArgumentsPerConversation = 4;
    private const int ArgumentsPerEvent = 4;

    /// <summary>Edits, deletes and reactions in one call: each looks at its message, which costs several times what a message costs.</summary>
    private const int MostRevisions = 64;

    /// <summary>No id of a user.</summary>
    private const string Unchecked = "*";
    private const string NotAuthor = "!";

    private readonly List<AppendRequest> _requests = [];
    private readonly List<byte[]> _records = [];

    /// <summary>The requests in the order of the call: by conversation.</summary>
    private int[] _sent = [];
    private int _bytes;
    private int _revisions;
    private bool _hasDelete;

    public int Count => _requests.Count;

    public IReadOnlyList<AppendRequest> Requests => _requests;

    /// <summary>One of the events, at least, is a <see cref="TracedEvent"/>.</summary>
    public bool IsTraced { get; private set; }

    /// <summary>A delete is the last of its batch: it rewrites all edits of its message, and Redis serves nobody else meanwhile.</summary>
    public bool IsFull =>
        _requests.Count >= options.BatchEvents || _bytes >= options.BatchBytes || _revisions >= MostRevisions || _hasDelete;

    public void Add(in AppendRequest request)
    {
        var record = LogRecordCodec.Encode(request.Event);
        _requests.Add(request);
        _records.Add(record);
        _revisions += request.Event.Target == 0 ? 0 : 1;
        _hasDelete |= request.Event.Kind == EventKind.Delete;
        IsTraced |= request.Event is TracedEvent;
        _bytes += record.Length;
    }

    public void Clear()
    {
        _requests.Clear();
        _records.Clear();
        _bytes = 0;
        _revisions = 0;
        _hasDelete = false;
        IsTraced = false;
    }

    /// <summary>Keys and arguments in the order that append.lua documents.</summary>
    public (RedisKey[] Keys, RedisValue[] Arguments) ToCall(long nowUnixMilliseconds)
    {
        var conversations = Sort();
        var day = RedisKeys.NonceDay(nowUnixMilliseconds);
        var keys = new RedisKey[FixedKeys + KeysPerConversation * conversations.Count];
        keys[0] = RedisKeys.Epoch(partition);
        keys[1] = RedisKeys.Log(partition);
        keys[2] = RedisKeys.Nonces(partition, day);
        keys[3] = RedisKeys.Nonces(partition, day - 1);
        keys[4] = RedisKeys.Nonces(partition, day + 1);
        keys[5] = RedisKeys.Moves(partition);
        keys[6] = RedisKeys.Rung(partition);
        var arguments = new RedisValue[
            FixedArguments + ArgumentsPerConversation * conversations.Count + ArgumentsPerEvent * _requests.Count];
        arguments[0] = RedisKeys.NonceSeconds;
        arguments[1] = options.TailKeep;
        arguments[2] = RedisChannels.LogBell(partition);
        arguments[3] = _requests.Count;
        arguments[4] = options.TailBytes;
        arguments[5] = options.EditsPerMessage;
        arguments[6] = options.EmojisPerMessage;
        arguments[7] = options.ReactionChangesPerMessage;
        var (nonce, key, at, sent) = (FixedArguments, FixedKeys, FixedArguments + _requests.Count, 0);
        foreach (var (conversation, count) in conversations)
        {
            keys[key++] = RedisKeys.Conversation(conversation);
            keys[key++] = RedisKeys.Tail(conversation);
            keys[key++] = RedisKeys.Members(conversation);
            keys[key++] = RedisKeys.Revisions(conversation);
            keys[key++] = RedisKeys.Rules(conversation);
            var (channel, second) = RedisChannels.Of(conversation);
            arguments[at++] = conversation.Value;
            arguments[at++] = channel;
            arguments[at++] = second;
            arguments[at++] = count;
            for (var end = sent + count; sent < end; sent++)
            {
                var request = _requests[_sent[sent]];
                var e = request.Event;
                arguments[nonce++] = NonceField.Of(conversation, e.From, e.Nonce);
                arguments[at++] = RememberedAck(e);
                arguments[at++] = _records[_sent[sent]];
                arguments[at++] = Conditions(request);
            }
        }
        return (keys, arguments);
    }

    /// <summary>Reads the reply. Null when the partition is closed: nothing was done.</summary>
    /// <exception cref="FormatException">The reply is not append.lua's.</exception>
    public AppendResult[]? ReadReply(RedisResult reply)
    {
        var items = (RedisResult[]?)reply;
        var epoch = items is { Length: > 0 } ? (string?)items[0] : null;
        if (epoch is "")
        {
            return null;
        }

        if (epoch is null || items!.Length != _requests.Count + 1)
        {
            throw new FormatException($"append.lua answered {items?.Length ?? 0} items for {_requests.Count} events.");
        }

        var results = new AppendResult[_requests.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[_sent[i]] = ReadItem(items[i + 1], _requests[_sent[i]].Event, epoch);
        }

        return results;
    }

    /// <summary>
    /// Brings the events of each conversation together, in the order in which they came: fills <see cref="_sent"/>, and returns how many
    /// there are of each.
    /// </summary>
    private List<(ConversationKey Conversation, int Count)> Sort()
    {
        var conversations = new List<(ConversationKey Conversation, int Count)>();
        var numbers = new Dictionary<ConversationKey, int>(_requests.Count);
        var numberOf = new int[_requests.Count];
        for (var i = 0; i < numberOf.Length; i++)
        {
            var conversation = _requests[i].Event.Conversation;
            if (!numbers.TryGetValue(conversation, out var number))
            {
                numbers.Add(conversation, number = conversations.Count);
                conversations.Add((conversation, 0));
            }
            numberOf[i] = number;
            conversations[number] = (conversation, conversations[number].Count + 1);
        }
        var next = new int[conversations.Count];
        for (var number = 1; number < next.Length; number++)
        {
            next[number] = next[number - 1] + conversations[number - 1].Count;
        }

        _sent = new int[numberOf.Length];
        for (var i = 0; i < numberOf.Length; i++)
        {
            _sent[next[numberOf[i]]++] = i;
        }

        return conversations;
    }

    /// <summary>What a repeated ack says beside seq and epoch: <c>id timestamp</c>.</summary>
    private static byte[] RememberedAck(ConversationEvent e)
    {
        Span<byte> text = stackalloc byte[64];
        e.Id.TryFormat(text, out var length);
        text[length++] = (byte)' ';
        e.Timestamp.TryFormat(text[length..], out var digits, default, CultureInfo.InvariantCulture);
        return text[..(length + digits)].ToArray();
    }

    /// <summary>What append.lua has to check; empty for most events.</summary>
    private static string Conditions(in AppendRequest request)
    {
        var e = request.Event;
        var replyTo = e.Details?.ReplyTo ?? 0;
        if (!request.RequireMember && e.Target == 0 && replyTo == 0 && request.Authority == RoomAuthority.Own)
        {
            return "";
        }

        var authority = request.Authority switch { RoomAuthority.Server => "S", RoomAuthority.Capped => "-", _ => Unchecked };
        var member = request.RequireMember ? e.From : Unchecked;
        var revision = e.Target == 0
            ? $"{Unchecked} {Unchecked} {Unchecked} {Unchecked}"
            : string.Create(CultureInfo.InvariantCulture,
                $"{e.Target} {EventKinds.NameOf(e.Kind)} {Author(request)} {e.From}");
        var reply = replyTo == 0 ? Unchecked : replyTo.ToString(CultureInfo.InvariantCulture);
        return $"{authority} {member} {revision} {reply} {(e.Remove ? "" : e.Emoji)}";
    }

    /// <summary>Who must have written what is edited or deleted.</summary>
    private static string Author(in AppendRequest request) =>
        !request.TargetChecked ? request.Event.From : request.AsModerator ? NotAuthor : Unchecked;

    private static AppendResult ReadItem(RedisResult item, ConversationEvent e, string epoch)
    {
        if (item.Resp2Type == ResultType.Integer)
        {
            return ReadNumber((long)item, e, epoch);
        }
        var first = ((string?)item ?? "").TrimEnd().Split(' ');
        if (first.Length == 2)
        {
            return ReadNumber(long.Parse(first[0], CultureInfo.InvariantCulture), e, first[1]);
        }
        if (first.Length != 4)
        {
            throw new FormatException("A remembered nonce is not 'seq epoch id timestamp'.");
        }

        return new AppendResult(
            AppendStatus.Duplicate,
            Guid.Parse(first[2], CultureInfo.InvariantCulture),
            long.Parse(first[0], CultureInfo.InvariantCulture),
            first[1],
            long.Parse(first[3], CultureInfo.InvariantCulture),
            0);
    }

    private static AppendResult ReadNumber(long seq, ConversationEvent e, string epoch) => seq switch
    {
        > 0 => new AppendResult(AppendStatus.Accepted, e.Id, seq, epoch, e.Timestamp, 0),
        -1 => AppendResult.Refused(AppendStatus.NotMember, epoch),
        -2 => AppendResult.Refused(AppendStatus.NoSuchTarget, epoch),
        -3 => AppendResult.Refused(AppendStatus.NotAuthor, epoch),
        -4 => AppendResult.Refused(AppendStatus.TargetNotInTail, epoch),
        -5 => AppendResult.Refused(AppendStatus.TooManyRevisions, epoch),
        -6 => AppendResult.Refused(AppendStatus.TooManyEmojis, epoch),
        -7 => AppendResult.Refused(AppendStatus.Forbidden, epoch),
        -8 => AppendResult.Refused(AppendStatus.NoSuchRoom, epoch),
        _ => throw new FormatException($"append.lua answered {seq} for an event."),
    };
}
