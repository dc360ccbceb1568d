using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Persistence;

/// <summary>What is committed and idle leaves Redis, and nobody notices.</summary>
[Trait("Needs", "System")]
public sealed class IdleTailTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task A_tail_expires_only_while_all_of_it_is_committed()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.StartServiceAsync(settings => settings["Persistence:TailIdle"] = "00:30:00");
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await AppendAsync(log, Message("n1"));
        await AppendAsync(log, Later("e1", EventKind.Edit, 1, "edited"));
        await world.DurableAsync(Lobby, 2);
        Assert.InRange((await TimeToLiveAsync(RedisKeys.Tail(Lobby)))!.Value.TotalMinutes, 25, 30);
        Assert.InRange((await TimeToLiveAsync(RedisKeys.Revisions(Lobby)))!.Value.TotalMinutes, 25, 30);

        await using (await world.HoldCommitsAsync())
        {
            await AppendAsync(log, Message("n2"));
            Assert.Null(await TimeToLiveAsync(RedisKeys.Tail(Lobby)));
            Assert.Null(await TimeToLiveAsync(RedisKeys.Revisions(Lobby)));
        }

        await world.DurableAsync(Lobby, 3);
        Assert.NotNull(await TimeToLiveAsync(RedisKeys.Tail(Lobby)));

        Task<TimeSpan?> TimeToLiveAsync(string key) => world.Database.KeyTimeToLiveAsync(key);
    }

    [Fact]
    public async Task Without_its_tail_a_conversation_goes_on_as_if_it_were_there()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync(new ConversationLogOptions { EditsPerMessage = 2 });
        var (history, revisions) = Reading(service, log, new ConversationLogOptions { EditsPerMessage = 2, EmojisPerMessage = 1 });
        var first = await AppendAsync(log, Message("n1"));
        await AppendAsync(log, Message("n2", from: "bob"));
        await AppendAsync(log, Message("n3"));
        await AppendAsync(log, Later("d3", EventKind.Delete, 3));
        await world.DurableAsync(Lobby, 4);
        await ExpireAsync(world);

        // The place, the nonces and the whole of the past.
        Assert.Equal(first with { Status = AppendStatus.Duplicate }, await log.AppendAsync(Message("n1")));
        var slice = await history.ReadAsync(Lobby, 0, 10, CancellationToken.None);
        Assert.Equal([1L, 2, 3, 4], slice.Events.Select(e => e.Seq));
        Assert.Equal((4L, true), (slice.Head, slice.Complete));
        var page = (await service.GetJsonAsync("/api/rooms/lobby/messages?limit=2")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([4L, 3], page.Select(item => item.GetProperty("seq").GetInt64()));
        var overview = Assert.Single((await service.GetJsonAsync("/api/rooms/lobby/messages?after=1&limit=1")).GetProperty("items").EnumerateArray());
        Assert.Equal("text n2", overview.GetProperty("content").GetString());

        // What is said of older messages is checked, and bounded, as before.
        Assert.Equal(AppendStatus.NotAuthor, await ReviseAsync(revisions, Later("x1", EventKind.Edit, 2, "hijacked")));
        Assert.Equal(AppendStatus.NoSuchTarget, await ReviseAsync(revisions, Later("x2", EventKind.Edit, 3, "back again")));
        Assert.Equal(AppendStatus.NoSuchTarget, await ReviseAsync(revisions, Later("x3", EventKind.Edit, 99, "not yet")));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(revisions, Later("e1", EventKind.Edit, 1, "once")));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(revisions, Later("r1", EventKind.React, 1, emoji: "👍")));
        await world.DurableAsync(Lobby, 6);
        await ExpireAsync(world);
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(revisions, Later("r2", EventKind.React, 1, emoji: "👍") with { From = "bob" }));
        Assert.Equal(AppendStatus.TooManyEmojis, await ReviseAsync(revisions, Later("r3", EventKind.React, 1, emoji: "🚀")));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(revisions, Later("e2", EventKind.Edit, 1, "twice")));
        await world.DurableAsync(Lobby, 8);
        await ExpireAsync(world);
        Assert.Equal(AppendStatus.TooManyRevisions, await ReviseAsync(revisions, Later("e3", EventKind.Edit, 1, "thrice")));
        Assert.Equal(9, (await AppendAsync(log, Later("d1", EventKind.Delete, 1), targetChecked: true)).Seq);
        await world.DurableAsync(Lobby, 9);
        Assert.Equal(0, await world.QueryAsync<long>("SELECT count(*) FROM events WHERE content IN ('text n1', 'once', 'twice')"));
    }

    [Fact]
    public async Task What_was_refused_once_for_good_is_refused_again_without_the_database()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await AppendAsync(log, Message("n1", from: "bob"));
        await AppendAsync(log, Message("n2"));
        await AppendAsync(log, Later("d2", EventKind.Delete, 2));
        await world.DurableAsync(Lobby, 3);
        await ExpireAsync(world);
        var counted = new CountingHistory(new PersistedHistory(service.CreateInternalClient()));
        var revisions = new Revisions(log.Log, counted, Options.Create(new ConversationLogOptions()));
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(AppendStatus.NotAuthor, await ReviseAsync(revisions, Later($"x{i}", EventKind.Edit, 1, "hijacked")));
            Assert.Equal(AppendStatus.NoSuchTarget, await ReviseAsync(revisions, Later($"y{i}", EventKind.React, 2, emoji: "👍")));
            Assert.Equal(AppendStatus.NoSuchTarget, await ReviseAsync(revisions, Later($"z{i}", EventKind.Edit, 1_000 + i, "not yet")));
        }

        Assert.Equal(2, counted.Asked);
    }

    private static (EventReader Reader, Revisions Revisions) Reading(
        RunningService service, Log.RunningLog log, ConversationLogOptions options)
    {
        var history = new PersistedHistory(service.CreateInternalClient());
        return (new EventReader(log.Log, history, TimeProvider.System, NullLogger<EventReader>.Instance),
            new Revisions(log.Log, history, Options.Create(options)));
    }

    /// <summary>What Redis does when the time is over.</summary>
    private static async Task ExpireAsync(PersistenceWorld world)
    {
        Assert.NotNull(await world.Database.KeyTimeToLiveAsync(RedisKeys.Tail(Lobby)));
        await world.Database.KeyDeleteAsync([RedisKeys.Tail(Lobby), RedisKeys.Revisions(Lobby)]);
    }

    private static async Task<AppendStatus> ReviseAsync(Revisions revisions, ConversationEvent e) =>
        (await revisions.AppendAsync(e, 1_000, CancellationToken.None)).Status;

    private static async Task<AppendResult> AppendAsync(Log.RunningLog log, ConversationEvent e, bool targetChecked = false)
    {
        var result = await log.AppendAsync(e, targetChecked: targetChecked);
        Assert.Equal(AppendStatus.Accepted, result.Status);
        return result;
    }

    private static ConversationEvent Message(string nonce, string from = "alice") =>
        PersistenceWorld.Message(Lobby, from, nonce, $"text {nonce}");

    private static ConversationEvent Later(string nonce, EventKind kind, long target, string? content = null, string? emoji = null) =>
        Message(nonce) with { Kind = kind, Target = target, Content = content, Emoji = emoji };

    private sealed class CountingHistory(IEventHistory history) : IEventHistory
    {
        public int Asked { get; private set; }

        public Task<IReadOnlyList<ConversationEvent>> ReadAsync(
            ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken) =>
            history.ReadAsync(conversation, afterSeq, limit, cancellationToken);

        public Task<RevisionTarget?> FindTargetAsync(
            ConversationKey conversation, long seq, string emoji, CancellationToken cancellationToken)
        {
            Asked++;
            return history.FindTargetAsync(conversation, seq, emoji, cancellationToken);
        }
    }
}
