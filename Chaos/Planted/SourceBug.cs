using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos.Planted;

/// <summary>
/// A bug that can be written into a copy of the project's sources. The system that is built from the copy has the bug, and the published
/// sources need no hook for it.
/// </summary>
/// <param name="File">The file, from the root of the sources.</param>
/// <param name="Right">The correct text, which the file has exactly once.</param>
/// <param name="Wrong">The text that replaces it.</param>
/// <param name="CaughtAs">The breach that the check must report.</param>
/// <param name="Only">The faults that make the bug show.</param>
internal sealed record SourceBug(string Name, string File, string Right, string Wrong, Breach CaughtAs, string Only)
{
    public static IReadOnlyList<SourceBug> All { get; } =
    [
        new("no dedup: a repeated nonce becomes a second event",
            "RedisLog/Scripts/append.lua", "local refused = acks[nonce]", "local refused = nil",
            Breach.Duplicated, "cut:clients,halfopen:clients,kill:gateway"),
        new("ack before append: the sender is answered when the event is handed over, not when the log has it",
            "ConnectionService/Log/RedisConversationLog.cs",
            "    public bool TryAppend(in AppendRequest request) => _publishers[request.Event.Conversation.Partition].TryPost(request);",
            """
                public bool TryAppend(in AppendRequest request)
                {
                    var (publisher, e) = (_publishers[request.Event.Conversation.Partition], request.Event);
                    if (e.Target != 0 || !_places.TryGetValue(e.Conversation, out var place))
                        return publisher.TryPost(request with { Completion = new Learning(_places, request.Completion) });
                    _places[e.Conversation] = place = (place.Epoch, place.Seq + 1);
                    request.Completion.Completed(
                        e, new AppendResult(AppendStatus.Accepted, e.Id, place.Seq, place.Epoch, e.Timestamp, 0));
                    return publisher.TryPost(request with { Completion = new Learning(_places, null) });
                }

                private readonly System.Collections.Concurrent.ConcurrentDictionary<ConversationKey, (string Epoch, long Seq)> _places = new();

                private sealed class Learning(
                    System.Collections.Concurrent.ConcurrentDictionary<ConversationKey, (string Epoch, long Seq)> places,
                    IAppendCompletion? next) : IAppendCompletion
                {
                    public void Completed(ConversationEvent appended, AppendResult result)
                    {
                        if (result.Status == AppendStatus.Accepted)
                            places[appended.Conversation] = (result.Epoch, result.Seq);
                        next?.Completed(appended, result);
                    }
                }
            """,
            Breach.Lost, "kill:redis,pause:redis"),
        new("no gap repair: after a jump in seq a node goes on with the event that came",
            "ConnectionService/Hubs/Feeds/Feed.cs",
            """
                            _hub.Metrics.Gaps.Add(1);
                            _position.Hold(e);
                            Expect(e.Seq);
                            Repair();
            """,
            """
                            _position.SkipTo(e.Seq - 1);
                            Advance(e);
            """, Breach.SilentGap, "pubsub"),
        new("trim too early: the log is trimmed past what is committed",
            "RedisLog/Scripts/acknowledge.lua", "if first then\n",
            "redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)\nif first then\n", Breach.Lost, "kill:persistence,pause:postgres"),
    ];

    /// <exception cref="InvalidOperationException">The source has changed, so the bug must be adapted.</exception>
    public string Plant(string source)
    {
        var first = source.IndexOf(Right, StringComparison.Ordinal);
        if (first < 0 || source.IndexOf(Right, first + 1, StringComparison.Ordinal) >= 0)
        {
            throw new InvalidOperationException($"'{Name}' cannot be planted: {File} does not have the text to replace exactly once.");
        }

        return source.Replace(Right, Wrong, StringComparison.Ordinal);
    }
}
