using System.Collections.Concurrent;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>
/// One socket of a user, as hubs and the read loop share it. The identity never changes; the rest is thread-safe.
/// </summary>
/// <param name="id">Unique in the system.</param>
/// <param name="expires">When the token ends, Unix milliseconds.</param>
internal sealed class Connection(string id, string user, IOutbound outbound, long expires)
{
    private readonly TaskCompletionSource<bool> _welcomed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _expires = expires;
    private volatile bool _closed;
    private volatile RoomGrants? _grants;
    private volatile Shown? _shown;
    private long _issuedAt;

    public string Id { get; } = id;

    public string User { get; } = user;

    public IOutbound Outbound { get; } = outbound;

    /// <summary>Unix milliseconds.</summary>
    public long OpenedAt { get; init; }

    /// <summary>What the token allows in rooms; null: it has no claim, and the rooms' rules decide alone. Moved by <c>auth</c>.</summary>
    public RoomGrants? Grants
    {
        get => _grants;
        set => _grants = value;
    }

    /// <summary>What the token grants in the room; null: it has no claim.</summary>
    public int? RightsIn(string room) => _grants is { } grants ? (int)grants.For(room) : null;

    /// <summary>When the token was issued, Unix milliseconds; 0: it does not say. Moved by <c>auth</c>.</summary>
    public long IssuedAt
    {
        get => Volatile.Read(ref _issuedAt);
        set => Volatile.Write(ref _issuedAt, value);
    }

    /// <summary>The user's display name, which new events carry; null: none.</summary>
    public string? Name => _shown?.Profile.Name;

    /// <summary>The user's profile as JSON (<see cref="ProfileJson"/>); null: none.</summary>
    public RawJson? Profile => _shown?.Json;

    public void Show(UserProfile? profile) =>
        _shown = profile is null ? null : new Shown(profile, new RawJson(ProfileJson.Encode(profile)));

    /// <summary>Bytes that may be replayed to the user's connections, over all of them; null: any number.</summary>
    public TokenBucket? ReplayBudget { get; init; }

    /// <summary>The first frame, sent by the user's hub once direct messages flow, and forgotten then.</summary>
    public OutboundFrame Welcome { get; set; }

    /// <summary>
    /// Rooms that this connection has joined, or is about to join or leave. Written by one or two threads at most: the default, a lock for
    /// each processor and 31 buckets, is a KiB on a large machine.
    /// </summary>
    public ConcurrentDictionary<string, RoomPass> Rooms { get; } = new(concurrencyLevel: 1, capacity: 1, StringComparer.Ordinal);

    /// <summary>When the token ends, Unix milliseconds; moved by <c>auth</c>.</summary>
    public long Expires
    {
        get => Volatile.Read(ref _expires);
        set => Volatile.Write(ref _expires, value);
    }

    /// <summary>The read loop has ended: an answer that comes later is dropped.</summary>
    public bool IsClosed => _closed;

    /// <summary>True once <see cref="Welcome"/> is queued; false when the connection could not be served.</summary>
    public Task<bool> Welcomed => _welcomed.Task;

    public void SetWelcomed(bool served) => _welcomed.TrySetResult(served);

    public void MarkClosed() => _closed = true;

    private sealed record Shown(UserProfile Profile, RawJson Json);
}

/// <summary>
/// A connection's standing in one room as its read loop sees it. A join or leave under way makes it unsettled: later frames of the same
/// connection for the same room wait for the outcome, so that a client may send join and message in one go. Thread-safe.
/// </summary>
internal sealed class RoomPass
{
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _joined;

    /// <summary>Completes when the hub has decided.</summary>
    public Task Settled => _settled.Task;

    public bool Joined => _joined;

    public void Settle(bool joined)
    {
        _joined = joined;
        _settled.TrySetResult();
    }
}
