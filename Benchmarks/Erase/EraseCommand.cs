using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using AspireChat.Benchmarks.Load;
using Npgsql;

namespace AspireChat.Benchmarks.Erase;

/// <summary>How long it takes to erase a user who wrote much, and what a chat that goes on notices of it: the whole system.</summary>
internal static class EraseCommand
{
    /// <summary>Goals: an erasure of 100,000 messages, and how many times p99 of the chat may be what it was before.</summary>
    private const double MostSeconds = 60, MostTimes = 2;

    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(15);

    public static async Task<int> RunAsync(string[] args)
    {
        EraseOptions options;
        try
        {
            options = EraseOptions.Parse(args);
        }
        catch (FormatException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message}\nUsage: {EraseOptions.Usage}");
            return 2;
        }

        var history = new ErasedHistory(options);
        using var system = AspireChatSystem.Start(
            "AspireChat", new Dictionary<string, string>(), changes: new SystemChanges(Prepare: history.WriteAsync));
        await using var database = NpgsqlDataSource.Create(system.PostgresConnection);
        await ErasedHistory.IndexedAsync(database);
        await using var chat = new SteadyChat(system, options);
        await chat.BeginAsync();
        await WaitAsync(Warmup);
        await WaitAsync(TimeSpan.FromSeconds(options.Window));
        var begun = Stopwatch.GetTimestamp();
        var messages = await EraseAsync(system);
        var ended = Stopwatch.GetTimestamp();
        var took = Stopwatch.GetElapsedTime(begun, ended);
        // Not less than the window, so that a short erasure is still compared with a chat of the same length on both sides.
        await WaitAsync(took > TimeSpan.FromSeconds(options.Window) ? took : TimeSpan.FromSeconds(options.Window));
        await chat.EndAsync();
        var left = await ErasedHistory.LeftAsync(database);

        var length = Math.Min(took.TotalSeconds, options.Window);
        var ticks = (long)(length * Stopwatch.Frequency);
        var windows = new (string Name, long From)[] { ("before", begun - ticks), ("during", begun), ("after", ended) };
        var report = Report(options, chat, windows, ticks, took.TotalSeconds, messages, left, out var hasPassed);
        Console.WriteLine(report);
        if (options.Report is not null)
        {
            await File.WriteAllTextAsync(options.Report, report);
        }

        return hasPassed ? 0 : 1;
    }

    private static string Report(
        EraseOptions options, SteadyChat chat, (string Name, long From)[] windows, long ticks, double took, long erased, long left,
        out bool hasPassed)
    {
        var text = new StringBuilder("# Erasing a user while others chat\n\n")
            .Append(Invariant($"`erase`: {options.Own:N0} of {options.Messages:N0} messages are the user's, in 200 rooms. "))
            .Append(Invariant($"Meanwhile {options.Rooms} rooms of {options.RoomSize} "))
            .Append(Invariant($"get {options.Rate:N0} messages a second. Each window has {ticks / (double)Stopwatch.Frequency:N1} s.\n\n"))
            .Append(Machine.Describe()).Append("\n\n")
            .Append(Invariant($"The erasure took **{took:N1} s** for {erased:N0} messages and edits; "))
            .Append(Invariant($"{left:N0} of the user's messages have content left.\n\n"))
            .Append("| window | messages | ack p50 ms | p99 ms | max ms | delivery p50 ms | p99 ms | max ms |\n")
            .Append("|---|---|---|---|---|---|---|---|\n");
        var p99 = new Dictionary<string, (double Ack, double Delivery)>();
        foreach (var (name, from) in windows)
        {
            var (acks, deliveries) = (Within(chat.Acks, from, ticks), Within(chat.Deliveries, from, ticks));
            p99[name] = (Machine.Quantile(acks, 0.99), Machine.Quantile(deliveries, 0.99));
            text.Append(Invariant($"| {name} | {acks.Count:N0} | {Machine.Median(acks):N1} | {p99[name].Ack:N1} | {acks.Max():N1} "))
                .Append(Invariant($"| {Machine.Median(deliveries):N1} | {p99[name].Delivery:N1} | {deliveries.Max():N1} |\n"));
        }

        var (ackTimes, deliveryTimes) = (p99["during"].Ack / p99["before"].Ack, p99["during"].Delivery / p99["before"].Delivery);
        var missing = chat.Expected - chat.Deliveries.Count;
        hasPassed = took < MostSeconds && left == 0 && missing == 0 && ackTimes <= MostTimes && deliveryTimes <= MostTimes;
        return text
            .Append(Invariant($"\np99 during the erasure is {ackTimes:N2} times that before for acks, {deliveryTimes:N2} times for deliveries. "))
            .Append(Invariant($"{missing:N0} of {chat.Expected:N0} deliveries are missing.\n"))
            .Append(hasPassed ? "\nWithin the goal.\n" : "\n**Not within the goal.**\n")
            .ToString();
    }

    private static List<double> Within(IEnumerable<ChatTime> times, long from, long ticks) =>
        [.. times.Where(time => time.SentAt >= from && time.SentAt < from + ticks).Select(time => time.Milliseconds)];

    /// <summary>Orders the erasure and waits until it is done; how many messages and edits it says to have erased.</summary>
    private static async Task<long> EraseAsync(AspireChatSystem system)
    {
        using var server = new HttpClient { BaseAddress = system.Gateway };
        server.DefaultRequestHeaders.Authorization = new("Bearer", system.Token("backend", "chat:admin"));
        using var ordered = await server.DeleteAsync($"/api/admin/users/{ErasedHistory.User}");
        var place = ordered.EnsureSuccessStatusCode().Headers.Location!;
        while (true)
        {
            var body = JsonNode.Parse(await server.GetStringAsync(place))!;
            switch ((string?)body["status"])
            {
                case "done":
                    return (long)body["erased"]!;
                case "failed":
                    throw new InvalidOperationException($"The erasure failed: {body.ToJsonString()}");
            }

            await WaitAsync(TimeSpan.FromMilliseconds(100));
        }
    }

    private static Task WaitAsync(TimeSpan length) => Task.Delay(length, TimeProvider.System, CancellationToken.None);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
