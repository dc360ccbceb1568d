using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Benchmarks.Persist;

/// <summary>
/// The records that wait to be persisted: messages of 20–220 bytes to rooms of very different size and to direct conversations, reactions,
/// edits, deletions and read cursors. They are the same in every round except for the names.
/// </summary>
internal sealed class Backlog(RedisConversationLog log, int round)
{
    public const int Events = 480_000;
    public const string Description = "480,000 events of 2,000 rooms and 2,000 direct conversations: "
        + "93 % messages, 4 % reactions, 2 % edits, 1 % deletions; 20,000 read cursors";

    private const int Cursors = 20_000;
    private const int Rooms = 2_000;
    private const int Directs = 2_000;
    private const int Users = 5_000;
    private const int InFlight = 2_000;

    private readonly Random _random = new(17);
    private readonly long[] _heads = new long[Rooms + Directs];

    /// <summary>The last message of each conversation that is not deleted. Reactions, edits and deletions refer to it.</summary>
    private readonly (long Seq, string From)[] _last = new (long, string)[Rooms + Directs];

    public static long Records => Events + Cursors;

    public async Task AppendAsync()
    {
        using var free = new SemaphoreSlim(InFlight);
        for (var i = 0; i < Events; i++)
        {
            await free.WaitAsync();
            _ = AppendOneAsync(Next(), free);
        }
        for (var i = 0; i < InFlight; i++)
        {
            await free.WaitAsync();
        }

        free.Release(InFlight);
        // Each call moves another cursor, because a cursor that does not move leaves no record.
        for (var i = 0; i < Cursors; i++)
        {
            await free.WaitAsync();
            _ = ReadAsync(ConversationOf(Rooms + i % Directs), $"user-{round}-{i % Directs}", 1 + i / Directs, free);
        }
        for (var i = 0; i < InFlight; i++)
        {
            await free.WaitAsync();
        }
    }

    private async Task AppendOneAsync(ConversationEvent e, SemaphoreSlim free)
    {
        var result = await log.AppendAsync(e, retryAfter: 0);
        if (result.Status != AppendStatus.Accepted)
        {
            Environment.FailFast($"The log answered {result.Status}.");
        }

        free.Release();
    }

    private async Task ReadAsync(ConversationKey conversation, string user, long seq, SemaphoreSlim free)
    {
        await log.ReadAsync(conversation, user, seq, CancellationToken.None);
        free.Release();
    }

    private ConversationEvent Next()
    {
        // The square makes the largest room have forty times the events of an average one.
        var number = _random.Next(5) == 0 ? Rooms + _random.Next(Directs) : (int)(Rooms * Math.Pow(_random.NextDouble(), 2));
        var conversation = ConversationOf(number);
        var head = ++_heads[number];
        var last = _last[number];
        var what = last.Seq == 0 ? 100 : _random.Next(100);
        var kind = what switch
        {
            < 4 => EventKind.React,
            < 6 => EventKind.Edit,
            < 7 => EventKind.Delete,
            _ => conversation.IsRoom ? EventKind.Room : EventKind.Dm,
        };
        var sender = conversation.IsRoom ? $"user-{_random.Next(Users)}" : conversation.Users.First;
        if (kind is EventKind.Edit or EventKind.Delete)
        {
            sender = last.From;
        }

        if (kind is EventKind.Room or EventKind.Dm)
        {
            _last[number] = (head, sender);
        }
        else if (kind == EventKind.Delete)
        {
            _last[number] = default;
        }

        return new ConversationEvent
        {
            Kind = kind,
            Conversation = conversation,
            Id = Guid.CreateVersion7(),
            From = sender,
            Nonce = Guid.NewGuid().ToString("N"),
            Content = kind is EventKind.React or EventKind.Delete ? null : new string('x', _random.Next(20, 220)),
            Emoji = kind == EventKind.React ? "👍" : null,
            Target = what < 7 ? last.Seq : 0,
            Timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        };
    }

    private ConversationKey ConversationOf(int number) => number < Rooms
        ? ConversationKey.Room($"room-{round}-{number}")
        : ConversationKey.Direct($"user-{round}-{number - Rooms}", $"zoe-{round}-{number - Rooms}");
}
