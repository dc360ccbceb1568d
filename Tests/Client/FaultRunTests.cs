using System.Globalization;
using AspireChat.Client;

namespace AspireChat.Tests.Client;

public sealed class FaultRunTests
{
    /// <summary>CLIENT_SEEDS says how many. The seed is in the test's name.</summary>
    public static TheoryData<int> Seeds => SeedsFrom(1, "CLIENT_SEEDS", otherwise: 8);

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_breaks_every_client_gets_every_event_once_and_in_order_and_every_send_arrives_once(int seed)
    {
        var run = await FaultRun.PlayAsync(seed, steps: 300);

        var violations = run.Transcripts.SelectMany(transcript => Ledger.Violations(transcript, place => run.LogOf(transcript.User, place)))
            .ToList();

        Assert.True(violations.Count == 0, $"seed {seed}, {run.Faults} faults:\n{string.Join('\n', violations)}");
        Assert.True(run.Faults > 50, $"only {run.Faults} faults");
        Assert.True(run.Transcripts.Sum(transcript => transcript.Sends.Count) > 100);
    }

    /// <summary>Runs with a client of the JavaScript library beside those of the C# library. MIXED_SEEDS says how many.</summary>
    public static TheoryData<int> MixedSeeds => SeedsFrom(3001, "MIXED_SEEDS", otherwise: 3);

    private static TheoryData<int> SeedsFrom(int first, string variable, int otherwise) =>
        [.. Enumerable.Range(
            first, Environment.GetEnvironmentVariable(variable) is { } count ? int.Parse(count, CultureInfo.InvariantCulture) : otherwise)];

    [Theory]
    [Trait("Needs", "Processes")]
    [MemberData(nameof(MixedSeeds))]
    public async Task Clients_of_both_libraries_in_one_room_get_every_event_once_and_in_order_whatever_breaks(int seed)
    {
        var run = await FaultRun.PlayAsync(seed, steps: 300, withNode: true);

        var violations = run.Transcripts.SelectMany(transcript => Ledger.Violations(transcript, place => run.LogOf(transcript.User, place)))
            .ToList();

        Assert.True(violations.Count == 0, $"seed {seed}, {run.Faults} faults:\n{string.Join('\n', violations)}");
        Assert.Equal(60, run.Transcripts[^1].Sends.Count);
        Assert.True(run.SocketsOfNode > 1, "it never lost its connection");
        Assert.Contains(run.Transcripts[^1].Items, item => item is ChatEvent);
    }

    [Fact]
    public async Task The_ledger_catches_every_planted_fault()
    {
        var run = await FaultRun.PlayAsync(seed: 1001, steps: 300);
        var honest = run.Transcripts[0];
        Assert.Empty(Violations(honest));
        var events = honest.Items.OfType<ChatEvent>().Where(e => e.Conversation == Clients.Lobby).GroupBy(e => e.Epoch)
            .MaxBy(epoch => epoch.Count())!.ToList();
        var (one, two) = (events[^3], events[^2]);

        Assert.All(
            new (string Fault, Transcript Doctored)[]
            {
                ("frames given as they come", run.Naive),
                ("an event lost", With(items => items.Remove(one))),
                ("the last event lost", With(items => items.RemoveAt(items.FindLastIndex(item => item is ChatEvent)))),
                ("an event doubled", With(items => items.Insert(items.IndexOf(one), one))),
                ("two events swapped", With(items => (items[items.IndexOf(one)], items[items.IndexOf(two)]) = (two, one))),
                ("another event in its place", With(items => items[items.IndexOf(one)] = one with { Id = "foreign" })),
                ("an event of another log", With(items => items[items.IndexOf(one)] = one with { Epoch = "e0" })),
                ("a gap told for a loss", With(items => items[items.IndexOf(one)] = new HistoryGap(one.Conversation, one.Seq, one.Seq))),
                ("a needless reload",
                    With(items => items.Insert(items.IndexOf(one), new ConversationReset(one.Conversation, one.Epoch!, one.Seq - 1)))),
                ("an acknowledgement of nothing", Sending(sends => sends[0] = sends[0] with { Id = "nothing" })),
                ("an acknowledgement out of order", Sending(sends => (sends[0], sends[1]) = (sends[1], sends[0]))),
                ("a send there twice", Sending(sends => sends[1] = sends[1] with { Nonce = "never sent" })),
            },
            planted => Assert.True(Violations(planted.Doctored).Count > 0, $"not caught: {planted.Fault}"));

        IReadOnlyList<string> Violations(Transcript transcript) =>
            Ledger.Violations(transcript, place => run.LogOf(transcript.User, place));

        Transcript With(Action<List<ChatItem>> doctor)
        {
            var items = honest.Items.ToList();
            doctor(items);
            return honest with { Items = items };
        }

        Transcript Sending(Action<List<SendReceipt>> doctor)
        {
            // Only sends into one room and the present log can be compared with each other.
            var present = run.LogOf(honest.User, Clients.Lobby).Epoch;
            var sends = honest.Sends.Where(send => send.Conversation == Clients.Lobby && send.Epoch == present).ToList();
            doctor(sends);
            return honest with { Sends = sends };
        }
    }
}
