using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Tests.Log;

/// <summary>The largest work that clients can make each script of the log do.</summary>
[Trait("Needs", "Redis")]
public sealed class HostileScriptTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    /// <summary>The longest content that a client may send, in the script that takes most bytes for it.</summary>
    private static readonly string Long = new('語', 8_000);

    private int _nonce;

    [Fact]
    public async Task No_edit_and_no_delete_holds_Redis_up_however_many_there_were()
    {
        await using var running = await fixture.StartLogAsync();
        await SlowLog.HasNoScriptAsync(fixture.Server, async _ =>
        {
            var room = NewRoom();
            var messages = Enumerable.Range(1, 20).ToArray();
            await Task.WhenAll(messages.Select(i => running.AppendAsync(LogFixture.Message(room, "alice", $"m{i}", Long))));
            foreach (var message in messages)
            {
                await Task.WhenAll(Enumerable.Range(0, 110).Select(_ => ReviseAsync(running, room, EventKind.Edit, message, Long)));
            }

            var deletes = await Task.WhenAll(messages.Select(message => ReviseAsync(running, room, EventKind.Delete, message)));
            Assert.All(deletes, result => Assert.Equal(AppendStatus.Accepted, result.Status));
        });
    }

    [Fact]
    public async Task No_reaction_holds_Redis_up_however_many_there_are_and_however_long_the_message()
    {
        await using var running = await fixture.StartLogAsync();
        await SlowLog.HasNoScriptAsync(fixture.Server, async _ =>
        {
            var room = NewRoom();
            await running.AppendAsync(LogFixture.Message(room, "alice", "m", Long));
            var emojis = Enumerable.Range(0, 60).Select(i => $"{i:00}{new string('語', 62)}").ToArray();
            await Task.WhenAll(Enumerable.Range(0, 6_000).Select(i =>
                ReviseAsync(running, room, EventKind.React, 1, emoji: emojis[i % 60], from: $"user{i / 60}")));
        });
    }

    [Fact]
    public async Task No_reading_of_a_tail_holds_Redis_up_however_long_it_is()
    {
        await using var running = await fixture.StartLogAsync();
        await SlowLog.HasNoScriptAsync(fixture.Server, async _ =>
        {
            // Nothing is committed: all of it stays, 48 MB.
            var room = NewRoom();
            await Task.WhenAll(Enumerable.Range(1, 2_000).Select(i => running.AppendAsync(LogFixture.Message(room, "alice", $"m{i}", Long))));
            await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => running.Log.ReadTailAsync(room, 0, 1_000, CancellationToken.None)));
            var tail = await TailReader.ReadNewestAsync(fixture.Database, room, null, null, 50, 300, 20_000, 16 * 1_024 * 1_024);
            Assert.InRange(tail.Events.Count, 600, 800);
            Assert.Equal(room.Partition, (await TailReader.ReadRangeAsync(fixture.Database, room, 500, 700, LogFixture.Epoch))[0].Conversation.Partition);
            await fixture.Database.KeyDeleteAsync([RedisKeys.Tail(room), RedisKeys.Log(room.Partition)]);
        });
    }

    [Fact]
    public async Task No_membership_and_no_cursor_holds_Redis_up_however_many_members_a_room_has()
    {
        await using var running = await fixture.StartLogAsync(
            new() { RoomsPerUser = 100_000, RoomsCreatedPerHour = 1_000_000, MembersPerRoom = 200_000 });
        await using var full = await fixture.StartLogAsync(new() { RoomsPerUser = 100_000 });
        var quotas = fixture.Quotas(full, new());
        var room = NewRoom();
        string[] users = [.. Enumerable.Range(0, 100_000).Select(i => $"user{i}")];
        foreach (var part in users.Chunk(1_000))
        {
            await fixture.Database.HashSetAsync(RedisKeys.Members(room), [.. part.Select(user => new HashEntry(user, 0))]);
        }

        await fixture.Database.SetAddAsync(RedisKeys.UserRooms("alice"), [.. Enumerable.Range(0, 24_000).Select(i => (RedisValue)$"room{i}")]);
        await SlowLog.HasNoScriptAsync(fixture.Server, async _ =>
        {
            await running.Log.ReadStrangersAsync([new RoomUsers(room.RoomId, users)], CancellationToken.None);
            await Task.WhenAll(Enumerable.Range(0, 500).Select(async i =>
            {
                await running.Log.JoinAsync(NewRoom().RoomId, "alice", CancellationToken.None);
                await running.Log.JoinAsync(room.RoomId, "alice", CancellationToken.None);
                await running.Log.ReadAsync(room, users[i], 1, CancellationToken.None);
                await running.Log.LeaveAsync(room.RoomId, "alice", CancellationToken.None);
                Assert.Equal(JoinRefusal.RoomIsFull, (await full.Log.JoinAsync(room.RoomId, "mallory", CancellationToken.None)).Refusal);
                await quotas.SpendBytesAsync("mallory", 8_000_000, CancellationToken.None);
                await quotas.BeginDirectAsync(ConversationKey.Direct("mallory", users[i]), "mallory", CancellationToken.None);
            }));
            Assert.InRange(
                await RedisScan.MembersAsync(fixture.Database, RedisKeys.UserRooms("alice"), CancellationToken.None).CountAsync(), 24_000, 40_000);
        });
    }

    [Fact]
    public async Task No_commit_holds_Redis_up_however_long_nothing_was_committed()
    {
        await using var running = await fixture.StartLogAsync();
        await SlowLog.HasNoScriptAsync(fixture.Server, async attempt =>
        {
            var rooms = Enumerable.Range(0, 100_000).Select(i => ConversationKey.Room($"late-{attempt}-{i}")).Where(room => room.Partition == 7)
                .Take(200).ToArray();
            var log = RedisKeys.Log(7);
            await fixture.Database.KeyDeleteAsync(log);
            await fixture.Database.StreamCreateConsumerGroupAsync(log, RedisKeys.PersistGroup, "0-0");
            for (var i = 0; i < 20_000; i += 4_000)
            {
                await Task.WhenAll(Enumerable.Range(i, 4_000).Select(n =>
                    running.AppendAsync(LogFixture.Message(rooms[n % 200], "alice", $"m{n}", new string('x', 4_000)))));
            }

            // Entries of the log with one record each.
            for (var i = 0; i < 25_000; i++)
            {
                _ = fixture.Database.StreamAddAsync(log, "c", "r:late", flags: CommandFlags.FireAndForget);
            }

            RedisKey[] keys = [.. rooms.SelectMany(room =>
                (RedisKey[])[RedisKeys.Conversation(room), RedisKeys.Tail(room), RedisKeys.Revisions(room)])];
            RedisValue[] marks = [.. rooms.SelectMany(room => (RedisValue[])[room.Value, 100, RedisChannels.Room(room.RoomId), ""])];
            Assert.Equal(200, (int)await fixture.Database.ScriptEvaluateAsync(
                RedisScripts.Durable, [RedisKeys.Epoch(7), RedisKeys.Moves(7), .. keys], [3_600, .. marks]));
            while (await fixture.Database.StreamReadGroupAsync(log, RedisKeys.PersistGroup, "me", ">", 60) is { Length: > 0 } entries)
            {
                await fixture.Database.ScriptEvaluateAsync(
                    RedisScripts.Acknowledge, [log, RedisKeys.Committed(7)],
                    [RedisKeys.PersistGroup, entries[^1].Id, .. entries.Skip(1).Select(entry => entry.Id)]);
            }

            // The first entries of each batch held all others back until now.
            var pending = await fixture.Database.StreamPendingMessagesAsync(log, RedisKeys.PersistGroup, 2_000, "me");
            await fixture.Database.ScriptEvaluateAsync(
                RedisScripts.Acknowledge, [log, RedisKeys.Committed(7)], [RedisKeys.PersistGroup, "", .. pending.Select(entry => entry.MessageId)]);
        });
    }

    private Task<AppendResult> ReviseAsync(
        RunningLog running, ConversationKey room, EventKind kind, long target, string? content = null, string? emoji = null,
        string from = "alice") => running.AppendAsync(
            LogFixture.Message(room, from, $"revision-{Interlocked.Increment(ref _nonce)}") with
            {
                Kind = kind, Target = target, Content = content, Emoji = emoji,
            });

    private static ConversationKey NewRoom() => ConversationKey.Room($"room-{Guid.NewGuid():N}");
}
