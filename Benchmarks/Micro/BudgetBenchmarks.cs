using System.Globalization;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.ServiceDefaults;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Options;

namespace AspireChat.Benchmarks.Micro;

/// <summary>
/// What the budgets of a user cost, each as the read loop asks for it. The users are many, so that their budgets do not stay in the processor's
/// nearest memory, as on a busy node. Figures are per frame, event or connection.
/// </summary>
public class BudgetBenchmarks
{
    private const int Users = 1_000;

    private readonly UserBudget[] _budgets = new UserBudget[Users];
    private readonly TokenBucket[] _frames = new TokenBucket[Users];
    private UserBudgets _all = null!;
    private string[] _names = null!;
    private long _seenAt;

    [GlobalSetup]
    public void Setup()
    {
        // So much that nothing is ever spent: a spent budget waits, and that is no cost.
        var sockets = new SocketOptions
        {
            EventsPerSecond = 1e9, EventBurst = int.MaxValue, FramesPerSecond = 1e6, FrameBurst = 1_000_000, ConnectionsPerUser = 1_000_000,
        };
        var budgets = new BudgetOptions { ConnectsPerSecond = 1e6, ConnectBurst = 1_000_000 };
        _all = new UserBudgets(Options.Create(sockets), Options.Create(budgets), new NoQuotas(), TimeProvider.System);
        _names = [.. Enumerable.Range(0, Users).Select(i => string.Create(CultureInfo.InvariantCulture, $"user-{i}"))];
        for (var i = 0; i < Users; i++)
        {
            _budgets[i] = _all.Of(_names[i]);
            _frames[i] = new TokenBucket(1e9, int.MaxValue, TimeProvider.System);
        }
        _seenAt = TimeProvider.System.GetTimestamp();
    }

    /// <summary>What each frame costs: the look at the clock, the connection's frames, the user's frames.</summary>
    [Benchmark(OperationsPerInvoke = Users)]
    public long Frame()
    {
        var owed = TimeSpan.Zero;
        for (var i = 0; i < Users; i++)
        {
            if (TimeProvider.System.GetElapsedTime(_seenAt).TotalHours > 1)
            {
                owed += TimeSpan.FromTicks(1);
            }

            owed += _frames[i].Charge(1);
            owed += _budgets[i].Frames.Charge(1);
        }

        return owed.Ticks;
    }

    /// <summary>What an event costs beside: the attempt, the event, the day's bytes before and after.</summary>
    [Benchmark(OperationsPerInvoke = Users)]
    public int Event()
    {
        var taken = 0;
        for (var i = 0; i < Users; i++)
        {
            if (_budgets[i].TryTakeEvent(out _) && !_budgets[i].Written.IsSpent(out _))
            {
                taken++;
            }

            _budgets[i].Written.Add(Samples.Event);
        }

        return taken;
    }

    [Benchmark(OperationsPerInvoke = Users)]
    public int Connection()
    {
        var opened = 0;
        foreach (var name in _names)
        {
            if (_all.TryOpen(name, out _))
            {
                opened++;
                _all.Close(name);
            }
        }

        return opened;
    }

    /// <summary>A reading of the clock, of which a budget takes one.</summary>
    [Benchmark(OperationsPerInvoke = Users)]
    public long Clock()
    {
        var sum = 0L;
        for (var i = 0; i < Users; i++)
        {
            sum += TimeProvider.System.GetTimestamp();
        }

        return sum;
    }

    private sealed class NoQuotas : IUserQuotas
    {
        public Task<TimeSpan> CreateRoomAsync(string user, CancellationToken cancellationToken) => Task.FromResult(TimeSpan.Zero);

        public Task<bool> HasSpaceForRoomAsync(string user, string room, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<TimeSpan> BeginDirectAsync(ConversationKey conversation, string user, CancellationToken cancellationToken) =>
            Task.FromResult(TimeSpan.Zero);

        public Task<TimeSpan> SpendBytesAsync(string user, long bytes, CancellationToken cancellationToken) => Task.FromResult(TimeSpan.Zero);
    }
}
