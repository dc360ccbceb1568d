using AspireChat.PresenceService.Reports;
using AspireChat.PresenceService.State;
using AspireChat.PresenceService.Typing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Timers;

/// <summary>
/// Does what is due: ends leases, takes users offline whose grace is over, places abandoned arrivals, tells rooms, ends typing. The script
/// that does a piece of work also claims it, so sweeps of several replicas may overlap: work is shared, never done twice.
/// </summary>
public sealed class Sweep(
    PresenceRedis redis,
    ArrivalHandler arrivals,
    TypingHandler typing,
    IOptions<PresenceOptions> options,
    PresenceMetrics metrics,
    ILogger<Sweep> logger)
{
    /// <summary>Most of each kind in one look; the rest stays due, and the next look follows at once.</summary>
    private const int Most = 500;

    /// <summary>Users taken offline and rooms told in one script call, at most; the scripts bound what each of them costs.</summary>
    private const int Part = 50;

    /// <summary>Rooms that users are taken out of in one call, and users of an ended lease: two milliseconds of Redis at most.</summary>
    private const int Changes = 250;

    /// <summary>An arrival that is older was abandoned by the service that noted it.</summary>
    private const int AbandonedMilliseconds = 1_000;

    private readonly PresenceOptions _options = options.Value;

    /// <summary>One look at the timers. Returns the time until the next one is due, as far as is known now; null: none is set.</summary>
    public async Task<TimeSpan?> RunAsync(CancellationToken cancellationToken)
    {
        var now = redis.Now;
        var due = (RedisResult[])(await redis.RunAsync(
            PresenceScripts.Due, now,
            [Milliseconds(_options.Blind), Milliseconds(_options.Lease), Milliseconds(_options.Grace), Most, AbandonedMilliseconds],
            cancellationToken))!;
        if ((int)due[0] == 1)
        {
            logger.WasBlind();
        }

        var leases = (string[])due[2]!;
        foreach (var replica in leases)
        {
            await EndLeaseAsync(replica, cancellationToken);
        }
        // Each step makes work for the next ones that was not due yet at the look-up, so that is looked up again.
        var users = leases.Length > 0 ? await DueAsync(RedisKeys.PresenceGrace, cancellationToken) : (string[])due[3]!;
        foreach (var part in users.Chunk(Part))
        {
            bool more;
            do
            {
                var reply = (long[])(await redis.RunAsync(
                    PresenceScripts.Offline, redis.Now, [Changes, .. part.Select(user => (RedisValue)user)], cancellationToken))!;
                metrics.WentOffline(reply[0]);
                more = reply[1] == 1;
            }
            while (more);
        }
        var abandoned = (string[])due[4]!;
        await arrivals.PlaceAsync(abandoned, cancellationToken);
        await typing.EndAsync((string[])due[6]!, cancellationToken);
        await typing.TellAsync((string[])due[7]!, cancellationToken);
        var rooms = users.Length + abandoned.Length > 0 ? await DueAsync(RedisKeys.PresenceDiffs, cancellationToken) : (string[])due[5]!;
        await TellAsync(rooms, cancellationToken);

        var next = (long)due[1];
        return next < 0 ? null : TimeSpan.FromMilliseconds(Math.Max(0, next - redis.Now));
    }

    private async Task<string[]> DueAsync(string key, CancellationToken cancellationToken)
    {
        var members = await redis.Database.SortedSetRangeByScoreAsync(key, stop: redis.Now, take: Most).WaitAsync(cancellationToken);
        return [.. members.Select(member => (string)member!)];
    }

    private async Task EndLeaseAsync(string replica, CancellationToken cancellationToken)
    {
        long gone = 0, left;
        do
        {
            var reply = (long[])(await redis.RunAsync(
                PresenceScripts.Lease, redis.Now,
                [replica, Milliseconds(_options.SeenRetention), Milliseconds(_options.Lease), Changes], cancellationToken))!;
            if (reply[0] == 0)
            {
                return;
            }

            gone += reply[1];
            left = reply[2];
        }
        while (left > 0);
        metrics.LeaseEnded();
        logger.LeaseEnded(replica, gone);
    }

    private async Task TellAsync(string[] rooms, CancellationToken cancellationToken)
    {
        for (var told = 0; told < rooms.Length;)
        {
            List<RedisValue> arguments = new(3 + 2 * Part)
            {
                Milliseconds(_options.DiffInterval), Milliseconds(_options.CountInterval), _options.NameThreshold,
            };
            foreach (var room in rooms.Skip(told).Take(Part))
            {
                arguments.AddRange([room, RedisChannels.Room(room)]);
            }

            var reply = (long[])(await redis.RunAsync(PresenceScripts.Diffs, redis.Now, arguments, cancellationToken))!;
            metrics.Told("online", reply[0]);
            metrics.Told("offline", reply[1]);
            metrics.Told("presence", reply[2]);
            told += (int)reply[3];
        }
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
