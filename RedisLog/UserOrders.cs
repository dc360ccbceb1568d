using System.Collections.Concurrent;
using System.Globalization;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>An operator's order about a user.</summary>
/// <param name="At">When it was given, Unix milliseconds of Redis' clock.</param>
/// <param name="Until">
/// Tokens issued until this moment (Unix milliseconds) are revoked; null: it only disconnects what was open by then.
/// </param>
public readonly record struct UserOrder(string User, long At, long? Until);

/// <summary>The end of a membership that its user did not ask for.</summary>
/// <param name="User">Empty: of all members.</param>
/// <param name="At">The moment, microseconds of the clock of the room's log.</param>
/// <param name="Reason">The <c>reason</c> of <c>left</c>.</param>
public readonly record struct RoomRemoval(string Room, string User, long At, string Reason);

/// <summary>
/// What operators ordered about users: every service reads the stream <see cref="RedisKeys.Kicks"/> twice a second, and keeps in
/// memory who had tokens revoked until when. Each partition's revocations are read once (<see cref="RedisKeys.Revoked"/>), and again when
/// orders may have been missed. Knowledge that is older than <see cref="Lease"/> answers <see cref="RevocationState.Unknown"/>:
/// docs/decisions/0018. An emptied Redis takes no knowledge away. Thread-safe.
/// </summary>
public sealed class UserOrders(IConnectionMultiplexer redis, TimeProvider time) : BackgroundService, ITokenRevocations
{
    /// <summary>Between two reads: an order reaches every service well within a second.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a service that cannot reach Redis goes on accepting tokens.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);

    /// <summary>Between two tries of a caller who waits for a partition to be known.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Orders that the stream keeps at least, and that one read takes.</summary>
    public const int Kept = 1_000;

    private const int RevokedPerCall = 1_000;

    private readonly ConcurrentDictionary<string, long> _revoked = new(StringComparer.Ordinal);
    private readonly bool[] _known = new bool[LogPartitions.Count];
    private readonly Lock _gate = new();
    private Task? _reading;

    /// <summary>From the beginning: orders older than a connection are not for it.</summary>
    private string _place = "0-0";

    /// <summary>When the last read began; 0: none was finished.</summary>
    private long _readAt;

    private long? _triedAt;

    /// <summary>An order was read, at most once each. Called by one thread at a time; must neither block nor throw.</summary>
    public event Action<UserOrder>? Given;

    /// <summary>A removal was read; like <see cref="Given"/>.</summary>
    public event Action<RoomRemoval>? Removed;

    /// <summary>All that was ordered before this moment (<see cref="TimeProvider.GetTimestamp"/>) was read; like <see cref="Given"/>.</summary>
    public event Action<long>? Finished;

    /// <summary>The user's tokens are revoked until the moment. The service that gives the order knows it before it reads it.</summary>
    public void Learn(string user, long until) => _revoked.AddOrUpdate(user, until, (_, before) => Math.Max(before, until));

    /// <summary>Revokes the user's tokens that were issued until now, and closes the sockets that they opened.</summary>
    /// <returns>False when the user's partition is closed: nothing was done.</returns>
    /// <exception cref="RedisException">The order may or may not be carried out, and is harmless to repeat.</exception>
    public async Task<bool> TryRevokeAsync(string user)
    {
        var own = ConversationKey.Own(user);
        var reply = (RedisResult[])(await redis.GetDatabase().ScriptEvaluateAsync(
            RedisScripts.Revoke,
            [RedisKeys.Epoch(own.Partition), RedisKeys.Revoked(own.Partition), RedisKeys.Log(own.Partition)],
            [own.Value, user, time.GetUtcNow().ToUnixTimeMilliseconds(), RedisChannels.LogBell(own.Partition)]))!;
        if ((string?)reply[0] is "")
        {
            return false;
        }

        var until = (long)double.Parse((string)reply[1]!, CultureInfo.InvariantCulture);
        Learn(user, until);
        await GiveAsync(user, [new(KickFields.User, user), new(KickFields.Until, until)]);
        return true;
    }

    /// <summary>Like <see cref="TryRevokeAsync"/>, and waits while the partition is closed.</summary>
    public async Task RevokeAsync(string user, CancellationToken cancellationToken)
    {
        while (!await TryRevokeAsync(user))
        {
            await Task.Delay(ShortestPause, time, cancellationToken);
        }
    }

    /// <summary>Gives an order about a user: it stands in the stream, and pub/sub carries it at once.</summary>
    public async Task GiveAsync(string user, NameValueEntry[] order)
    {
        await KeepAsync(order);
        await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisChannels.User(user)), new PubSubMessage.Kick().Encode());
    }

    /// <summary>Puts an order, or a removal from a room, into the stream.</summary>
    public Task KeepAsync(NameValueEntry[] order) =>
        redis.GetDatabase().StreamAddAsync(RedisKeys.Kicks, order, maxLength: Kept, useApproximateMaxLength: true);

    public ValueTask<RevocationState> CheckAsync(string user, long? issuedAt) =>
        Check(user, issuedAt) is var state and not RevocationState.Unknown
            ? ValueTask.FromResult(state)
            : ReadAndCheckAsync(user, issuedAt);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await ReadOnceAsync(TimeSpan.Zero).WaitAsync(stoppingToken);
                await SharedBeat.WaitAsync(Interval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private RevocationState Check(string user, long? issuedAt)
    {
        if (_revoked.TryGetValue(user, out var until) && !(issuedAt > until))
        {
            return RevocationState.Revoked;
        }

        return IsFresh && Volatile.Read(ref _known[ConversationKey.Own(user).Partition]) ? RevocationState.Good : RevocationState.Unknown;
    }

    private bool IsFresh => Volatile.Read(ref _readAt) is var at && at != 0 && time.GetElapsedTime(at) < Lease;

    /// <summary>The service has just started, or Redis was away or is: the callers wait for one reading.</summary>
    private async ValueTask<RevocationState> ReadAndCheckAsync(string user, long? issuedAt)
    {
        try
        {
            await ReadOnceAsync(ShortestPause).WaitAsync(Patience, time);
        }
        catch (TimeoutException)
        {
            // Redis does not answer.
        }
        return Check(user, issuedAt);
    }

    /// <summary>
    /// One reading at a time; whoever comes meanwhile waits for it. None begins less than <paramref name="pause"/> after the last.
    /// </summary>
    private Task ReadOnceAsync(TimeSpan pause)
    {
        lock (_gate)
        {
            if (_reading is { IsCompleted: false })
            {
                return _reading;
            }
            if (_triedAt is { } tried && time.GetElapsedTime(tried) < pause)
            {
                return Task.CompletedTask;
            }

            _triedAt = time.GetTimestamp();
            return _reading = TryReadAsync();
        }
    }

    private async Task TryReadAsync()
    {
        try
        {
            await ReadAsync();
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            // Redis is away; the next read begins where this one did.
        }
    }

    private async Task ReadAsync()
    {
        var started = time.GetTimestamp();
        if (!IsFresh)
        {
            Forget();
        }

        StreamEntry[] entries;
        do
        {
            entries = await redis.GetDatabase().StreamReadAsync(RedisKeys.Kicks, _place, Kept);
            // So many that others may have been dropped in between.
            if (entries.Length == Kept)
            {
                Forget();
            }

            foreach (var entry in entries)
            {
                Apply(entry);
                _place = entry.Id!;
            }
        }
        while (entries.Length == Kept);
        await Task.WhenAll(Enumerable.Range(0, LogPartitions.Count).Where(partition => !_known[partition]).Select(LearnAsync));
        Volatile.Write(ref _readAt, started);
        Finished?.Invoke(started);
    }

    private void Forget()
    {
        for (var partition = 0; partition < _known.Length; partition++)
        {
            Volatile.Write(ref _known[partition], false);
        }
    }

    private void Apply(StreamEntry entry)
    {
        var user = (string?)entry[KickFields.User] ?? "";
        if ((string?)entry[KickFields.Room] is { } room)
        {
            Removed?.Invoke(new RoomRemoval(room, user, entry[KickFields.At].TryParse(out long at) ? at : 0, (string?)entry[KickFields.Reason] ?? ""));
            return;
        }

        var moment = entry[KickFields.Until];
        long? until = moment.HasValue ? (long)moment : null;
        if (until is { } revoked)
        {
            Learn(user, revoked);
        }

        Given?.Invoke(new UserOrder(user, LogPosition.Parse(entry.Id.ToString()).Milliseconds, until));
    }

    /// <summary>A closed partition stays unknown: Redis may be new, and not filled from PostgreSQL yet.</summary>
    private async Task LearnAsync(int partition)
    {
        var database = redis.GetDatabase();
        if (!await database.KeyExistsAsync(RedisKeys.Epoch(partition)))
        {
            return;
        }

        for (var from = 0L; ; from += RevokedPerCall)
        {
            var part = await database.SortedSetRangeByRankWithScoresAsync(RedisKeys.Revoked(partition), from, from + RevokedPerCall - 1);
            foreach (var entry in part)
            {
                Learn(entry.Element.ToString(), (long)entry.Score);
            }

            if (part.Length < RevokedPerCall)
            {
                break;
            }
        }
        Volatile.Write(ref _known[partition], true);
    }
}

public static class UserOrdersRegistration
{
    /// <summary>Reads the operators' orders, and lets the service refuse revoked tokens.</summary>
    public static void AddUserOrders(this IServiceCollection services)
    {
        services.AddSingleton<UserOrders>();
        services.AddSingleton<ITokenRevocations>(provider => provider.GetRequiredService<UserOrders>());
        services.AddHostedService(provider => provider.GetRequiredService<UserOrders>());
    }
}
