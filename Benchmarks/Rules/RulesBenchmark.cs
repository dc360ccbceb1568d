using System.Diagnostics;
using System.Globalization;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.Servers;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.Benchmarks.Rules;

/// <summary>
/// What the rules of a room cost a send: append.lua in rooms with rules against rooms that nobody has given any, in turn on the same Redis, and
/// what a node asks of the token before. The time of the script is what Redis says of it (<c>INFO commandstats</c>), so neither the network nor
/// this process is in it. Figures are medians over the rounds; a difference is taken within each round.
/// </summary>
internal static class RulesBenchmark
{
    private const int Rooms = 8, Partition = 0, Lookups = 2_000_000;

    private const string Sender = "alice";

    private static readonly string Content = new('x', 200);

    private static readonly (string Name, RoomFields Fields, RoomRole Role, int Mutes)[] Kinds =
    [
        ("public, everybody sends", new(Visibility: RoomVisibility.Public), RoomRole.Member, 0),
        ("private, everybody sends", new(Visibility: RoomVisibility.Private), RoomRole.Member, 0),
        ("public, 50 are muted", new(Visibility: RoomVisibility.Public), RoomRole.Member, 50),
        ("private, moderators send, 50 are muted", new(RoomVisibility.Private, RoomSending.Moderators), RoomRole.Moderator, 50),
    ];

    public static async Task<int> RunAsync(int rounds)
    {
        Console.WriteLine($"rules: messages of 200 bytes to {Rooms} rooms of a partition, median of {rounds} rounds");
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        await using var server = await RunningRedis.StartAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString + ",allowAdmin=true");
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            await redis.GetDatabase().StringSetAsync(RedisKeys.Epoch(partition), "bench");
        }

        Console.WriteLine("| events a call | room | Redis µs/event | more than without rules, µs/event |");
        Console.WriteLine("|---|---|---|---|");
        var ways = await PrepareAsync(redis);
        var passed = true;
        foreach (var (batch, events) in ((int, int)[])[(64, 25_600), (1, 5_000)])
        {
            passed &= await CompareAsync(redis, ways, batch, events, rounds);
        }

        Console.WriteLine();
        Console.WriteLine("| a node asks the token of a connection | ns/event |");
        Console.WriteLine("|---|---|");
        foreach (var (name, grants) in Grants())
        {
            Console.WriteLine(Invariant($"| {name} | {Machine.Median(Enumerable.Range(0, rounds).Select(_ => LookUp(grants))):N1} |"));
        }

        return passed ? 0 : 1;
    }

    /// <summary>Rooms of each kind, all in one partition; those without rules come first.</summary>
    private static async Task<(string Name, ConversationKey[] Rooms)[]> PrepareAsync(ConnectionMultiplexer redis)
    {
        var log = new RoomLog(redis, Options.Create(new ConversationLogOptions()), Options.Create(new RoomOptions()), TimeProvider.System);
        var ways = new List<(string, ConversationKey[])> { ("without rules", Find("plain")) };
        foreach (var (index, kind) in Kinds.Index())
        {
            var rooms = Find($"kind{index}");
            foreach (var room in rooms.Select(key => key.RoomId))
            {
                await log.ChangeAsync(RoomActor.Server, room, "put", kind.Fields, owned: false, CancellationToken.None);
                await log.ChangeAsync(RoomActor.Server, room, MemberOperation.Add, Sender, CancellationToken.None, kind.Role);
                for (var n = 0; n < kind.Mutes; n++)
                {
                    await log.ChangeAsync(RoomActor.Server, room, MemberOperation.Add, $"muted-{n}", CancellationToken.None);
                    await log.ChangeAsync(RoomActor.Server, room, MemberOperation.Mute, $"muted-{n}", CancellationToken.None);
                }
            }

            ways.Add((kind.Name, rooms));
        }

        return [.. ways];

        static ConversationKey[] Find(string name) =>
            [.. Enumerable.Range(0, int.MaxValue).Select(n => ConversationKey.Room($"{name}-{n}"))
                .Where(key => key.Partition == Partition).Take(Rooms)];
    }

    private static async Task<bool> CompareAsync(
        ConnectionMultiplexer redis, (string Name, ConversationKey[] Rooms)[] ways, int batch, int events, int rounds)
    {
        var times = ways.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round <= rounds; round++)
        {
            // The way that was first in one round is last in the next.
            foreach (var way in round % 2 == 0 ? Enumerable.Range(0, ways.Length) : Enumerable.Range(0, ways.Length).Reverse())
            {
                var microseconds = await MeasureAsync(redis, ways[way].Rooms, batch, events);
                if (round > 0)
                {
                    times[way].Add(microseconds);
                }
            }
        }

        var most = 0.0;
        foreach (var (way, samples) in times.Index())
        {
            var more = Machine.Median(samples.Zip(times[0], (with, without) => with - without));
            most = Math.Max(most, more);
            Console.WriteLine(Invariant($"| {batch} | {ways[way].Name} | {Machine.Median(samples):N2} | {(way == 0 ? (double?)null : more):N2} |"));
        }

        return most <= 3;
    }

    /// <summary>Microseconds of the script for each event.</summary>
    private static async Task<double> MeasureAsync(ConnectionMultiplexer redis, ConversationKey[] rooms, int size, int events)
    {
        var batch = new AppendBatch(Partition, new ConversationLogOptions());
        var before = await ScriptMicrosecondsAsync(redis);
        for (var n = 0; n < events; n += size)
        {
            for (var i = n; i < n + size; i++)
            {
                batch.Add(new AppendRequest(NewEvent(rooms[i % rooms.Length]), RequireMember: false, NoCompletion.Instance));
            }

            var (keys, arguments) = batch.ToCall(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
            var results = batch.ReadReply(await redis.GetDatabase().ScriptEvaluateAsync(RedisScripts.Append, keys, arguments));
            if (results?.All(result => result.Status == AppendStatus.Accepted) != true)
            {
                throw new InvalidOperationException("The log did not accept an event.");
            }

            batch.Clear();
        }

        var microseconds = (await ScriptMicrosecondsAsync(redis) - before) / (double)events;
        // Nobody persists here: what is kept would grow from way to way.
        var day = RedisKeys.NonceDay(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        await redis.GetDatabase().KeyDeleteAsync(
            [RedisKeys.Log(Partition), RedisKeys.Nonces(Partition, day), .. rooms.Select(room => (RedisKey)RedisKeys.Tail(room))]);
        return microseconds;
    }

    private static async Task<long> ScriptMicrosecondsAsync(ConnectionMultiplexer redis)
    {
        var info = await redis.GetServers()[0].InfoAsync("commandstats");
        var spent = info.SelectMany(section => section).FirstOrDefault(pair => pair.Key == "cmdstat_evalsha").Value;
        return spent is null ? 0 : long.Parse(spent.Split(',')[1].Split('=')[1], CultureInfo.InvariantCulture);
    }

    private static ConversationEvent NewEvent(ConversationKey room) => new()
    {
        Kind = EventKind.Room,
        Conversation = room,
        Id = Guid.CreateVersion7(),
        From = Sender,
        Nonce = Guid.NewGuid().ToString("N"),
        Content = Content,
        Timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    };

    private static (string, RoomGrants?)[] Grants() =>
    [
        ("without the claim `rooms`", null),
        ("with a claim of 3 rooms", Parse(3, 0)),
        ("with a claim of 50 rooms and 10 prefixes", Parse(50, 10)),
    ];

    private static RoomGrants Parse(int rooms, int prefixes)
    {
        var names = Enumerable.Range(0, rooms).Select(n => $"team-{n}").Concat(Enumerable.Range(0, prefixes).Select(n => $"tenant-{n}-*"));
        var json = $"{{{string.Join(',', names.Select(name => $"\"{name}\":[\"read\",\"join\",\"send\"]"))}}}";
        return RoomGrants.TryParse(json, out var grants) ? grants : throw new InvalidOperationException("The claim cannot be read.");
    }

    /// <summary>
    /// Nanoseconds of what a node does before an append: the rights in the room, whether they let the connection send, and the authority.
    /// </summary>
    private static double LookUp(RoomGrants? grants)
    {
        var (allowed, begun) = (0, Stopwatch.GetTimestamp());
        for (var n = 0; n < Lookups; n++)
        {
            var rights = grants is null ? null : (int?)grants.For("team-1");
            allowed += rights is null || (rights & RoomRules.Send) != 0 ? (int)RoomAuthorities.Of(rights) + 1 : 0;
        }

        var took = Stopwatch.GetElapsedTime(begun).TotalNanoseconds / Lookups;
        return allowed > 0 ? took : throw new InvalidOperationException("Nothing was allowed.");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed class NoCompletion : IAppendCompletion
    {
        public static readonly NoCompletion Instance = new();

        public void Completed(ConversationEvent appended, AppendResult result)
        {
        }
    }
}
