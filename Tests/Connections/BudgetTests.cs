using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Log;
using AspireChat.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Connections;

public sealed class BudgetTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CountedQuotas _quotas = new();

    [Fact]
    public void A_burst_passes_then_the_rate_holds()
    {
        var bucket = new TokenBucket(20, 40, _time);
        for (var i = 0; i < 40; i++)
        {
            Assert.True(bucket.TryTake(out _));
        }

        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(50, wait.TotalMilliseconds, 3);
        _time.Advance(wait);
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 20; i++)
        {
            Assert.True(bucket.TryTake(out _));
        }

        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void What_is_given_back_can_be_taken_again_but_never_more_than_the_burst()
    {
        var bucket = new TokenBucket(1, 2, _time);
        Assert.True(bucket.TryTake(out _));
        Assert.True(bucket.TryTake(out _));
        bucket.GiveBack();
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
        for (var i = 0; i < 10; i++)
        {
            bucket.GiveBack();
        }

        Assert.True(bucket.TryTake(out _));
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void Connections_are_counted_per_user_and_freed()
    {
        var budgets = Budgets(new SocketOptions { ConnectionsPerUser = 2 });
        Assert.True(budgets.TryOpen("alice", out _));
        Assert.True(budgets.TryOpen("alice", out _));
        Assert.False(budgets.TryOpen("alice", out _));
        Assert.True(budgets.TryOpen("bob", out _));
        budgets.Close("alice");
        Assert.True(budgets.TryOpen("alice", out _));
    }

    [Fact]
    public void Forgetting_idle_users_forgives_nothing()
    {
        var budgets = Budgets(new SocketOptions { EventBurst = 2, EventsPerSecond = 0.1 });
        var events = budgets.Of("busy");
        Assert.True(events.TryTakeEvent(out _));
        Assert.True(events.TryTakeEvent(out _));
        Assert.True(budgets.TryOpen("connected", out _));
        for (var i = 0; i < 5_000; i++)
        {
            budgets.Of($"passer-by-{i}");
        }

        Assert.False(budgets.Of("busy").TryTakeEvent(out _));
        for (var i = 1; i < 20; i++)
        {
            Assert.True(budgets.TryOpen("connected", out _));
        }

        Assert.False(budgets.TryOpen("connected", out _));
    }

    [Fact]
    public void What_is_charged_beyond_the_burst_is_owed_for_as_long_as_it_takes_to_earn()
    {
        var bucket = new TokenBucket(100, 50, _time);
        bucket.Charge(250);
        Assert.Equal(2_000, bucket.Debt.TotalMilliseconds, 3);
        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(2_010, wait.TotalMilliseconds, 3);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.Zero, bucket.Debt);
        Assert.False(bucket.IsFull);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(bucket.IsFull);
    }

    [Fact]
    public void What_was_written_is_reported_in_steps_and_a_user_who_wrote_too_much_waits_for_the_end_of_the_day()
    {
        var written = Budgets(new SocketOptions()).Of("mallory").Written;
        var message = Message(new string('語', 8_000));
        for (var i = 0; i < 10; i++)
        {
            written.Add(message);
        }

        Assert.Empty(_quotas.Reports);
        written.Add(message);
        Assert.Equal([11 * 24_200L], _quotas.Reports);
        Assert.False(written.IsSpent(out _));

        _quotas.Wait = TimeSpan.FromHours(5);
        written.Report();
        Assert.Single(_quotas.Reports);
        written.Add(message);
        written.Report();
        Assert.True(written.IsSpent(out var wait));
        Assert.Equal(5, wait.TotalHours, 3);
        _time.Advance(wait);
        Assert.False(written.IsSpent(out _));
    }

    [Fact]
    public void What_could_not_be_reported_is_reported_later_and_forgetting_a_user_reports_the_rest()
    {
        var budgets = Budgets(new SocketOptions());
        var written = budgets.Of("mallory").Written;
        written.Add(Message("x"));
        _quotas.IsAway = true;
        written.Report();
        Assert.Empty(_quotas.Reports);
        _quotas.IsAway = false;
        written.Add(Message("x"));
        for (var i = 0; i < 5_000; i++)
        {
            budgets.Of($"passer-by-{i}");
        }

        Assert.Equal([402L], _quotas.Reports);
        Assert.NotSame(written, budgets.Of("mallory").Written);
    }

    [Fact]
    public void A_user_who_wrote_too_much_is_not_forgotten_before_the_end_of_the_day()
    {
        var budgets = Budgets(new SocketOptions());
        _quotas.Wait = TimeSpan.FromHours(5);
        budgets.Of("mallory").Written.Add(Message("x"));
        budgets.Of("mallory").Written.Report();
        for (var i = 0; i < 5_000; i++)
        {
            budgets.Of($"passer-by-{i}");
        }

        Assert.True(budgets.Of("mallory").Written.IsSpent(out _));
    }

    [Fact]
    public void Repeats_and_refused_events_cost_attempts_and_those_have_a_bound()
    {
        var budget = Budgets(new SocketOptions()).Of("mallory");
        var tried = 0;
        while (budget.TryTakeEvent(out _))
        {
            budget.GiveEventBack();
            tried++;
        }
        Assert.Equal(400, tried);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(40, Enumerable.Range(0, 100).Count(_ =>
        {
            var taken = budget.TryTakeEvent(out var _);
            budget.GiveEventBack();
            return taken;
        }));
    }

    [Fact]
    public void A_user_who_opens_and_closes_connections_without_end_is_slowed_down()
    {
        var budgets = Budgets(new SocketOptions());
        var opened = 0;
        while (opened < 1_000 && budgets.TryOpen("mallory", out _))
        {
            budgets.Close("mallory");
            opened++;
        }
        Assert.Equal(40, opened);
        Assert.True(budgets.TryOpen("alice", out _));
    }

    [Fact]
    public async Task Where_the_node_holds_too_much_the_longest_queues_go_first_and_only_as_many_as_needed()
    {
        var budget = new OutboundBudget(
            Options.Create(new BudgetOptions { NodeOutboundBytes = 1024 * 1024 }), NullLogger<OutboundBudget>.Instance);
        var sockets = Enumerable.Range(0, 4).Select(_ => new GatedWebSocket()).ToList();
        var queues = TestOutbound.Create(new SocketOptions(), _time).Queues;
        var all = sockets.Select(socket => queues.Create(new FrameworkWriter(socket), socket.Abort, "c")).ToList();
        int[] sizes = [100_000, 600_000, 300_000, 200_000];
        foreach (var (queue, size) in all.Zip(sizes))
        {
            queue.Send(OutboundFrame.Of(new byte[size]));
        }

        budget.Keep(all.Sum(queue => queue.Bytes), all);

        Assert.Equal([0, 4008, 0, 0], all.Select(queue => queue.CloseCode));
        await Task.WhenAll(sockets.Select(socket => socket.Read()));
    }

    private static ConversationEvent Message(string content) =>
        LogFixture.Message(ConversationKey.Room("lobby"), "mallory", "n", content);

    private UserBudgets Budgets(SocketOptions options) => new(Options.Create(options), Options.Create(new BudgetOptions()), _quotas, _time);

    private sealed class CountedQuotas : IUserQuotas
    {
        public Task<TimeSpan> CreateRoomAsync(string user, CancellationToken cancellationToken) => Task.FromResult(TimeSpan.Zero);

        public Task<bool> HasSpaceForRoomAsync(string user, string room, CancellationToken cancellationToken) => Task.FromResult(true);

        public List<long> Reports { get; } = [];

        public TimeSpan Wait { get; set; }

        public bool IsAway { get; set; }

        public Task<TimeSpan> BeginDirectAsync(ConversationKey conversation, string user, CancellationToken cancellationToken) =>
            Task.FromResult(TimeSpan.Zero);

        public Task<TimeSpan> SpendBytesAsync(string user, long bytes, CancellationToken cancellationToken)
        {
            if (IsAway)
            {
                throw new LogUnavailableException("away");
            }

            Reports.Add(bytes);
            return Task.FromResult(Wait);
        }
    }
}
