using System.Text.Json;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Hubs.Feeds;

public sealed class ReplayQueueTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Direct = ConversationKey.Direct("alice", "bob");

    private readonly HubHarness _hub = new(new HubOptions { ReplayPageEvents = 10, RingEvents = 1 });

    [Fact]
    public void A_client_that_does_not_read_is_read_no_further_page()
    {
        Fill(Lobby, 200);
        var (connection, outbound) = _hub.Connect("alice", bytes: 20_000);
        _hub.Post(new HubMessage.Join(connection, "lobby", new RoomPass(), 0, null, null));
        var pages = Pages();
        Assert.InRange(pages, 1, 5);
        for (var i = 0; i < 50; i++)
        {
            _hub.Tick(1_000);
        }
        Assert.Equal(pages, Pages());

        var seqs = HubHarness.Read(outbound).Where(IsEvent).Select(HubHarness.SeqOf).ToList();
        while (seqs.Count < 200)
        {
            _hub.Tick(100);
            var more = HubHarness.Read(outbound).Where(IsEvent).Select(HubHarness.SeqOf).ToList();
            Assert.NotEmpty(more);
            seqs.AddRange(more);
        }
        Assert.Equal(Enumerable.Range(1, 200).Select(seq => (long)seq), seqs);
        Assert.Equal(0, outbound.CloseCode);
    }

    [Fact]
    public void A_replay_waits_while_its_user_owes_bytes()
    {
        var time = new FakeTimeProvider();
        var budget = new TokenBucket(perSecond: 1_000, burst: 1_000, time);
        Fill(Lobby, 30);
        var (connection, outbound) = _hub.Connect("alice", bytes: 20_000, budget: budget);
        budget.Charge(3_000);
        _hub.Post(new HubMessage.Join(connection, "lobby", new RoomPass(), 0, null, null));
        Assert.DoesNotContain(HubHarness.Read(outbound), IsEvent);

        time.Advance(TimeSpan.FromSeconds(2.1));
        _hub.Tick(2_100);
        Assert.Contains(HubHarness.Read(outbound), IsEvent);
        Assert.NotEqual(TimeSpan.Zero, budget.Debt);
    }

    [Fact]
    public void Another_resume_ends_the_one_under_way_and_both_are_answered()
    {
        Fill(Direct, 30);
        var (connection, outbound) = _hub.Connect("alice");
        _hub.HoldTails = true;
        for (var i = 0; i < 3; i++)
        {
            _hub.Post(new HubMessage.ResumeDirect(connection, "bob", i, "e1", Reference(i)));
        }
        _hub.Release();
        var answers = HubHarness.Read(outbound).Where(frame => HubHarness.TypeOf(frame) == "resumed").ToList();
        Assert.Equal([0, 1, 2], answers.Select(answer => answer.GetProperty("ref").GetInt32()));
        Assert.Equal([false, false, true], answers.Select(answer => answer.GetProperty("complete").GetBoolean()));
    }

    [Fact]
    public void What_is_deleted_while_a_page_is_read_is_not_replayed()
    {
        Fill(Lobby, 30);
        var (connection, outbound) = _hub.Connect("alice");
        _hub.HoldTails = true;
        _hub.Post(new HubMessage.Join(connection, "lobby", new RoomPass(), 0, null, null));
        _hub.Append(Lobby, "bob", kind: EventKind.Delete, target: 4);
        _hub.Release();
        var fourth = HubHarness.Read(outbound).First(frame => IsEvent(frame) && HubHarness.SeqOf(frame) == 4);
        Assert.Equal("", fourth.GetProperty("content").GetString());
    }

    [Fact]
    public void Replays_from_different_places_all_come_to_their_end()
    {
        Fill(Lobby, 100);
        var clients = Enumerable.Range(0, 20).Select(i => (Since: i * 5L, Client: _hub.Connect($"user{i}"))).ToList();
        foreach (var (since, (connection, _)) in clients)
        {
            _hub.Post(new HubMessage.Join(connection, "lobby", new RoomPass(), since, null, null));
        }
        foreach (var (since, (_, outbound)) in clients)
        {
            var frames = HubHarness.Read(outbound);
            Assert.Equal(Enumerable.Range((int)since + 1, 100 - (int)since).Select(seq => (long)seq), frames.Where(IsEvent).Select(HubHarness.SeqOf));
            Assert.True(frames[^1].GetProperty("complete").GetBoolean());
        }
    }

    private static bool IsEvent(JsonElement frame) => HubHarness.TypeOf(frame) is "room" or "dm";

    private static RawJson? Reference(int number) => RawJson.Of(number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private int Pages() => _hub.Asked.Count(asked => asked.StartsWith("tail", StringComparison.Ordinal));

    private void Fill(ConversationKey key, int events)
    {
        for (var i = 0; i < events; i++)
        {
            _hub.Append(key, "bob", lost: true);
        }
    }
}
