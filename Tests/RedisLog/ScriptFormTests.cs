using System.Text;
using System.Text.RegularExpressions;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;
using StackExchange.Redis;

namespace AspireChat.Tests.RedisLog;

/// <summary>
/// Compares what the scripts of the log write, byte by byte, with the formats described in RedisLog. Tests/Presence does the same for the
/// frames that the presence scripts write.
/// </summary>
[Trait("Needs", "Redis")]
public sealed class ScriptFormTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private readonly string _room = $"room-{Guid.NewGuid():N}";

    private ConversationKey Key => ConversationKey.Room(_room);

    [Fact]
    public async Task A_membership_and_a_cursor_are_written_to_the_log_as_the_codec_writes_them()
    {
        await using var running = await fixture.StartLogAsync();
        await running.AppendAsync(LogFixture.Message(Key, "alice", "n1"));
        await running.Log.JoinAsync(_room, "bob", CancellationToken.None);
        await running.AppendAsync(LogFixture.Message(Key, "alice", "n2"));
        await running.Log.ReadAsync(Key, "bob", 2, CancellationToken.None);
        await running.Log.LeaveAsync(_room, "bob", CancellationToken.None);

        var entries = (await ReadLogAsync()).Where(entry => entry.Seq == 0).ToList();

        Assert.Equal(
            [
                $$"""{"type":"join","room":"{{_room}}","user":"bob","seq":1,"timestamp":T,"role":"owner"}""",
                $$"""{"type":"read","c":"r:{{_room}}","user":"bob","seq":2,"timestamp":T}""",
                $$"""{"type":"leave","room":"{{_room}}","user":"bob","seq":0,"timestamp":T,"role":"owner"}""",
            ],
            entries.Select(entry => Regex.Replace(entry.Raw.ToString(), @"(?<=""timestamp"":)\d{13}", "T")));
        Assert.Equal(
            [typeof(MembershipRecord), typeof(ReadRecord), typeof(MembershipRecord)], entries.Select(entry => entry.Record?.GetType()));
    }

    [Fact]
    public async Task Publications_of_a_room_have_the_format_of_the_pub_sub_messages()
    {
        await using var running = await fixture.StartLogAsync();
        var channel = await fixture.Redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisChannels.Room(_room)));
        var sent = LogFixture.Message(Key, "alice", "n1", "Grüße \"👍\"");
        await running.Log.JoinAsync(_room, "bob", CancellationToken.None);
        await running.AppendAsync(sent);
        await running.Log.ReadAsync(Key, "bob", 1, CancellationToken.None);
        await fixture.Database.ScriptEvaluateAsync(
            RedisScripts.Durable,
            [
                RedisKeys.Epoch(Key.Partition), RedisKeys.Moves(Key.Partition),
                RedisKeys.Conversation(Key), RedisKeys.Tail(Key), RedisKeys.Revisions(Key),
            ],
            [60, Key.Value, 1, RedisChannels.Room(_room), ""]);

        PubSubMessage[] expected =
        [
            new PubSubMessage.Events(EventBatch.Of(sent with { Seq = 1, Epoch = LogFixture.Epoch })),
            new PubSubMessage.Read(Key.Value, "bob", 1),
            new PubSubMessage.Durable(Key.Value, LogFixture.Epoch, 1),
        ];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        foreach (var message in expected)
        {
            var payload = (byte[])(await channel.ReadAsync(patience.Token)).Message!;
            Assert.Equal(Encoding.UTF8.GetString(message.Encode()), Encoding.UTF8.GetString(payload));
        }
    }

    [Fact]
    public async Task A_deleted_message_leaves_its_record_without_the_content()
    {
        await using var running = await fixture.StartLogAsync();
        var sent = LogFixture.Message(Key, "alice", "n1", "secret");
        await running.AppendAsync(sent);
        await running.AppendAsync(LogFixture.Message(Key, "alice", "n2") with { Kind = EventKind.Delete, Target = 1, Content = null });

        var tail = await TailReader.ReadAfterAsync(fixture.Database, Key, 0, 1);

        Assert.Equal(sent with { Content = "", Deleted = true, Seq = 1, Epoch = LogFixture.Epoch }, tail!.Events[0]);
    }

    [Fact]
    public async Task A_dead_letter_has_its_record_as_it_was_in_the_log()
    {
        await using var running = await fixture.StartLogAsync();
        await running.AppendAsync(LogFixture.Message(Key, "alice", "n1"));
        var log = RedisKeys.Log(Key.Partition);
        await fixture.Database.StreamCreateConsumerGroupAsync(log, RedisKeys.PersistGroup, "0-0");
        await fixture.Database.StreamReadGroupAsync(log, RedisKeys.PersistGroup, "somebody", ">");
        var entry = Assert.Single(await ReadLogAsync());
        await fixture.Database.ScriptEvaluateAsync(
            RedisScripts.Bury,
            [log, RedisKeys.DeadLetters(Key.Partition), RedisKeys.Conversation(Key)],
            [RedisKeys.PersistGroup, entry.Id, entry.Conversation, entry.Seq, entry.Epoch, entry.Raw, "22021: why", "1"]);

        var (letter, why) = LogEntry.ReadDeadLetter((await fixture.Database.StreamRangeAsync(RedisKeys.DeadLetters(Key.Partition))).Last());

        Assert.Equal(entry, letter);
        Assert.Equal("22021: why", why);
    }

    private async Task<List<LogEntry>> ReadLogAsync()
    {
        var entries = new List<LogEntry>();
        foreach (var entry in await fixture.Database.StreamRangeAsync(RedisKeys.Log(Key.Partition)))
        {
            LogEntry.Read(entry, entries);
        }
        return [.. entries.Where(entry => entry.Conversation == Key.Value)];
    }
}
