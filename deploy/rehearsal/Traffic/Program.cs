using System.Globalization;
using AspireChat.Client;
using AspireChat.Traffic;

// run URL CLIENTS RATE LEDGER: traffic until the standard input ends; each line read from it closes a chapter of what is printed. When it is
// printed, LEDGER has what the server had called durable by then.
// verify URL LEDGER: everything in the ledger is in the history, once and in its place; then the conversations go on in a new epoch.
var key = Environment.GetEnvironmentVariable("JWT_KEY") ?? throw new InvalidOperationException("JWT_KEY is not set.");
var (cameBack, longestAway) = (0, 0.0);
return args switch
{
    ["run", var url, var clients, var rate, var file] => await RunAsync(new Uri(url), Number(clients), Number(rate), file),
    ["verify", var url, var file] => await VerifyAsync(new Uri(url), file),
    _ => throw new ArgumentException("run URL CLIENTS RATE LEDGER, or verify URL LEDGER"),
};

async Task<int> RunAsync(Uri url, int clients, int rate, string file)
{
    const int roomSize = 10;
    var run = Guid.NewGuid().ToString("N")[..8];
    var members = Enumerable.Range(0, clients).Select(i => new Member(url, $"u{i}-{run}", $"r{i / roomSize}-{run}", key)).ToList();
    await Task.WhenAll(members.Select(member => member.JoinAsync()));
    Console.WriteLine($"{clients} clients in {members.Select(m => m.Room).Distinct().Count()} rooms, {rate} messages/s");

    using var enough = new CancellationTokenSource();
    var began = TimeProvider.System.GetTimestamp();
    var interval = TimeSpan.FromSeconds((double)clients / rate);
    var sending = members.Select((member, i) => member.SendAsync(interval, interval * i / clients, enough.Token)).ToList();
    while (await Console.In.ReadLineAsync() is { } chapter)
    {
        Durable(members).Save(file);
        Tell(chapter, members);
    }

    await enough.CancelAsync();
    var sentFor = TimeProvider.System.GetElapsedTime(began);
    await Task.WhenAll(sending);

    var (acknowledged, lost, doubled, swapped) = (0, 0, 0, 0);
    await using var reader = Reader(url);
    foreach (var room in members.GroupBy(member => member.Room))
    {
        var sent = new Dictionary<long, string>();
        foreach (var member in room)
        {
            foreach (var (seq, content) in member.Sent)
            {
                if (!sent.TryAdd(seq, content))
                {
                    doubled++;
                }
            }
        }

        acknowledged += sent.Count;
        var head = sent.Keys.Max();
        foreach (var member in room)
        {
            for (var i = 0; i < 600 && member.Seen.Count < head; i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }

            var seen = member.Seen.ToList();
            doubled += seen.Count - seen.DistinctBy(message => message.Content).Count();
            lost += sent.Values.Except(seen.Select(message => message.Content)).Count();
            swapped += seen.Zip(seen.Skip(1)).Count(pair => pair.Second.Seq != pair.First.Seq + 1);
        }

        var history = await HistoryAsync(reader, room.Key);
        lost += sent.Count(message => history.GetValueOrDefault(message.Key) != message.Value);
        doubled += history.Count - history.Values.Distinct().Count();
    }

    foreach (var member in members)
    {
        await member.DisposeAsync();
    }

    Tell("end", members);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"acknowledged {acknowledged} in {sentFor.TotalSeconds:0} s, lost {lost}, doubled {doubled}, out of order {swapped}, reloads {members.Sum(m => m.Reloads)}, " +
        $"connections that came back {cameBack}, longest away {longestAway:0.0} s"));
    return lost + doubled + swapped > 0 || longestAway > 5 ? 1 : 0;
}

async Task<int> VerifyAsync(Uri url, string file)
{
    var ledger = Ledger.Load(file);
    var (lost, wrong, sameEpoch, astray, untold) = (0, 0, 0, 0, 0);
    foreach (var (room, kept) in ledger.Rooms)
    {
        await using var reader = Reader(url);
        var found = await HistoryAsync(reader, Conversation.Room(room));
        foreach (var (seq, content) in kept.Contents)
        {
            if (!found.TryGetValue(seq, out var there))
            {
                lost++;
            }
            else if (there != content)
            {
                wrong++;
            }
        }

        await reader.ConnectAsync();
        // As one who was there before comes back.
        var joined = await reader.JoinAsync(room, new ConversationCursor(kept.Contents.Keys.Max(), kept.Epoch));
        if (joined.Epoch == kept.Epoch)
        {
            sameEpoch++;
        }

        if (!await IsToldToReloadAsync(reader))
        {
            untold++;
        }

        var next = await reader.SendAsync(Conversation.Room(room), "after the restore");
        if (next.Seq != joined.Head + 1 || joined.Head < kept.Contents.Keys.Max())
        {
            astray++;
        }
    }

    Console.WriteLine($"restored: {ledger.Count} durable before the backup, lost {lost}, changed {wrong}; " +
        $"{ledger.Rooms.Count} conversations, in an old epoch {sameEpoch}, going on at a wrong seq {astray}, not told to reload {untold}");
    return lost + wrong + sameEpoch + astray + untold > 0 ? 1 : 0;
}

static async Task<bool> IsToldToReloadAsync(ChatClient reader)
{
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
    try
    {
        return await reader.Events(patience.Token).OfType<ConversationReset>().AnyAsync(patience.Token);
    }
    catch (OperationCanceledException)
    {
        return false;
    }
}

ChatClient Reader(Uri url) => new(new ChatClientOptions
{
    Gateway = url,
    TokenProvider = _ => ValueTask.FromResult(Tokens.For("reader", key)),
    FindDirectConversations = false,
});

static async Task<Dictionary<long, string>> HistoryAsync(ChatClient reader, Conversation room)
{
    var found = new Dictionary<long, string>();
    for (var after = "0"; after is not null;)
    {
        var page = await reader.HistoryAsync(room, after: after, limit: 200);
        foreach (var message in page.Items.OfType<MessageSent>())
        {
            found[message.Seq] = message.Content;
        }

        after = page.Items.Count == 0 ? null : page.Next;
    }

    return found;
}

static Ledger Durable(List<Member> members)
{
    var ledger = new Ledger();
    foreach (var room in members.GroupBy(member => member.Room))
    {
        var durable = room.Max(member => member.Durable);
        var epoch = room.SelectMany(member => member.Acknowledged).Where(accepted => accepted.Epoch is not null).MaxBy(accepted => accepted.Seq);
        var kept = ledger.Rooms[room.Key.RoomId!] = new RoomLedger { Epoch = epoch?.Epoch ?? "" };
        foreach (var (seq, content) in room.SelectMany(member => member.Sent))
        {
            if (seq <= durable)
            {
                kept.Contents[seq] = content;
            }
        }
    }

    return ledger;
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

void Tell(string chapter, List<Member> members)
{
    List<(int? Code, TimeSpan Away)> returns = [];
    foreach (var member in members)
    {
        while (member.Returns.TryDequeue(out var back))
        {
            returns.Add(back);
        }
    }

    var codes = string.Join(", ", returns.GroupBy(back => back.Code).OrderBy(code => code.Key)
        .Select(code => $"{code.Key?.ToString(CultureInfo.InvariantCulture) ?? "cut"} ×{code.Count()}"));
    var longest = returns.Count == 0 ? 0 : returns.Max(back => back.Away.TotalSeconds);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {chapter,-14} acknowledged so far {members.Sum(m => m.Acknowledged.Count),6}   came back {returns.Count,4}" +
        $"   longest away {longest:0.0} s   {codes}"));
    (cameBack, longestAway) = (cameBack + returns.Count, Math.Max(longestAway, longest));
}
