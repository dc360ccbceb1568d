using System.Diagnostics.CodeAnalysis;
using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Log;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// What one user may still do on this node, over all of their sockets and HTTP calls. Thread-safe. Do not keep it beyond a connection or request.
/// </summary>
internal sealed class UserBudget(SocketOptions sockets, BudgetOptions budgets, DailyBytes written, TimeProvider time)
{
    private readonly TokenBucket _events = new(sockets.EventsPerSecond, sockets.EventBurst, time);
    private readonly TokenBucket _attempts = new(
        Math.Max(budgets.AttemptsPerSecond, 2 * sockets.EventsPerSecond), Math.Max(budgets.AttemptBurst, 2.0 * sockets.EventBurst), time);

    public TokenBucket Connects { get; } = new(budgets.ConnectsPerSecond, budgets.ConnectBurst, time);

    public TokenBucket Frames { get; } = new(
        Math.Max(budgets.FramesPerSecond, sockets.FramesPerSecond), Math.Max(budgets.FrameBurst, sockets.FrameBurst), time);

    public TokenBucket Conversations { get; } = new(budgets.ConversationsPerSecond, budgets.ConversationBurst, time);

    /// <summary>Frames that were answered by an error.</summary>
    public TokenBucket Refused { get; } = new(budgets.RefusedPerSecond, budgets.RefusedBurst, time);

    /// <summary>Typing notices, read cursors and signals.</summary>
    public TokenBucket Signals { get; } = new(budgets.SignalsPerSecond, budgets.SignalBurst, time);

    /// <summary>Bytes.</summary>
    public TokenBucket Replays { get; } = new(budgets.ReplayBytesPerSecond, budgets.ReplayByteBurst, time);

    /// <summary>What stays. It counts over all nodes.</summary>
    public DailyBytes Written { get; } = written;

    /// <summary>Open connections; guarded by <see cref="UserBudgets"/>.</summary>
    public int Connections { get; set; }

    /// <summary>Nothing is open and nothing was spent lately: forgetting the user forgives nothing.</summary>
    public bool IsIdle => Connections == 0 && _events.IsFull && _attempts.IsFull && Connects.IsFull && Frames.IsFull
        && Conversations.IsFull && Refused.IsFull && Signals.IsFull && Replays.IsFull && Written.IsForgettable;

    /// <summary>Takes one event. False: the client waits for <paramref name="retryAfter"/>.</summary>
    public bool TryTakeEvent(out TimeSpan retryAfter) => _attempts.TryTake(out retryAfter) && _events.TryTake(out retryAfter);

    /// <summary>The event was a repeat, or the log was away: it counts as an attempt only.</summary>
    public void GiveEventBack() => _events.GiveBack();
}

/// <summary>
/// The budgets of this node's users. Other nodes count for themselves. Thread-safe.
/// </summary>
internal sealed class UserBudgets(IOptions<SocketOptions> options, IOptions<BudgetOptions> budgets, IUserQuotas quotas, TimeProvider time)
{
    private const int SweepEvery = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, UserBudget> _users = new(StringComparer.Ordinal);
    private int _untilSweep = SweepEvery;

    /// <summary>Counts a connection. False: nothing is counted.</summary>
    /// <param name="refusal">When false is returned: why, for the client.</param>
    public bool TryOpen(string user, [NotNullWhen(false)] out string? refusal)
    {
        lock (_gate)
        {
            var budget = Find(user);
            refusal = budget.Connections >= options.Value.ConnectionsPerUser ? $"at most {options.Value.ConnectionsPerUser} connections per user"
                : !budget.Connects.TryTake(out _) ? "too many new connections of this user"
                : null;
            budget.Connections += refusal is null ? 1 : 0;
            return refusal is null;
        }
    }

    /// <summary>Ends a connection that <see cref="TryOpen"/> counted.</summary>
    public void Close(string user)
    {
        lock (_gate)
        {
            Find(user).Connections--;
        }
    }

    public UserBudget Of(string user)
    {
        lock (_gate)
        {
            return Find(user);
        }
    }

    private UserBudget Find(string user)
    {
        if (_users.TryGetValue(user, out var budget))
        {
            return budget;
        }

        if (--_untilSweep <= 0)
        {
            foreach (var (name, old) in _users)
            {
                if (old.IsIdle)
                {
                    _users.Remove(name);
                    old.Written.Report();
                }
            }
            // In proportion to what is left, so that sweeping costs each new user about as much as being added.
            _untilSweep = Math.Max(SweepEvery, _users.Count);
        }
        budget = new UserBudget(options.Value, budgets.Value, new DailyBytes(user, quotas, time), time);
        _users.Add(user, budget);
        return budget;
    }
}
