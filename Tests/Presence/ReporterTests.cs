using AspireChat.ConnectionService.Presence;
using AspireChat.Contracts.Presence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Presence;

public sealed class ReporterTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ServiceProvider _services =
        new ServiceCollection().AddMetrics().AddSingleton<PresenceReportingMetrics>().BuildServiceProvider();
    private readonly RecordedService _service = new();
    private readonly PresenceReporter _reporter;
    private readonly PresenceReportLoop _loop;

    public ReporterTests()
    {
        var metrics = _services.GetRequiredService<PresenceReportingMetrics>();
        _reporter = new PresenceReporter(metrics);
        _loop = new PresenceReportLoop(
            _reporter, _service, Options.Create(new PresenceReportingOptions { Replica = "one" }), metrics, _time,
            NullLogger<PresenceReportLoop>.Instance);
    }

    [Fact]
    public async Task The_first_report_is_full_and_later_ones_have_only_changes()
    {
        _reporter.ConnectionOpened("alice");
        _reporter.MembershipChanged("lobby", "alice", true);
        await _loop.StartAsync(CancellationToken.None);

        var first = await NextAsync();
        Assert.Equal((true, 1), (first.Full, first.Sequence));
        Assert.Equal([new UserConnections("alice", 1)], first.Users);
        Assert.Equal([new RoomMembership("lobby", "alice", true)], first.Rooms);

        _reporter.ConnectionOpened("bob");
        _reporter.ConnectionOpened("bob");
        var second = await NextAsync();
        Assert.Equal((false, 2), (second.Full, second.Sequence));
        Assert.Equal([new UserConnections("bob", 2)], second.Users);
        Assert.Empty(second.Rooms);
        Assert.Equal(first.Instance, second.Instance);
    }

    [Fact]
    public async Task A_lease_is_renewed_every_three_seconds_when_nothing_changes()
    {
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();
        var start = _time.GetUtcNow();
        for (var i = 0; i < 5; i++)
        {
            Assert.Empty((await NextAsync()).Users);
        }
        // The upper bound is generous, because the clock moves on before the loop looks at it.
        Assert.InRange((_time.GetUtcNow() - start).TotalSeconds, 14, 25);
    }

    [Fact]
    public async Task Changes_that_come_together_share_a_report()
    {
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();
        for (var i = 0; i < 100; i++)
        {
            _reporter.ConnectionOpened($"u{i}");
        }

        for (var i = 0; i < 50; i++)
        {
            _reporter.ConnectionClosed($"u{i}");
        }

        var report = await NextAsync();

        Assert.Equal(100, report.Users.Count);
        Assert.Equal(50, report.Users.Count(user => user.Connections == 0));
    }

    [Fact]
    public async Task Reports_are_an_interval_apart_however_much_changes()
    {
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();
        var start = _time.GetUtcNow();
        for (var i = 0; i < 14; i++)
        {
            _reporter.ConnectionOpened($"u{i}");
            Assert.Single((await NextAsync()).Users);
        }
        // Reports are 300 ms apart, but for the first few.
        Assert.True((_time.GetUtcNow() - start).TotalMilliseconds > 2_500);
    }

    [Fact]
    public async Task A_quiet_replica_reports_each_of_a_few_changes_at_once()
    {
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        var start = _time.GetUtcNow();
        foreach (var user in new[] { "alice", "bob", "carol", "dave" })
        {
            _reporter.ConnectionOpened(user);
            Assert.Equal([new UserConnections(user, 1)], (await NextAsync()).Users);
        }

        // Intervals between them would be 900 ms. The clock moves on before the loop looks at it.
        Assert.True((_time.GetUtcNow() - start).TotalMilliseconds < 800);
    }

    [Fact]
    public async Task Unconfirmed_changes_are_reported_again_with_their_latest_state_but_typing_is_dropped()
    {
        _reporter.ConnectionOpened("alice");
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();

        _service.Away = true;
        _reporter.ConnectionOpened("bob");
        _reporter.ConnectionClosed("alice");
        _reporter.MembershipChanged("lobby", "bob", true);
        _reporter.MembershipChanged("kitchen", "bob", false);
        _reporter.Typing("bob", "lobby", null, true);
        var lost = await NextAsync();
        Assert.Single(lost.Typing);
        _reporter.ConnectionOpened("bob");
        _reporter.MembershipChanged("lobby", "bob", false);
        await NextAsync();
        _service.Away = false;
        var report = await NextAsync();
        while (report.Users.Count == 0)
        {
            report = await NextAsync();
        }

        Assert.False(report.Full);
        Assert.Equal([new("alice", 0), new UserConnections("bob", 2)], report.Users.OrderBy(user => user.User));
        Assert.Equal(
            [new("kitchen", "bob", false), new RoomMembership("lobby", "bob", false, Brief: true)],
            report.Rooms.OrderBy(room => room.Room));
        Assert.Empty(report.Typing);
        Assert.Empty((await NextAsync()).Users);
    }

    [Fact]
    public async Task A_full_report_that_was_not_confirmed_stays_full()
    {
        _service.Away = true;
        _reporter.ConnectionOpened("alice");
        await _loop.StartAsync(CancellationToken.None);
        Assert.True((await NextAsync()).Full);
        _reporter.ConnectionOpened("bob");

        var report = await NextAsync();

        Assert.True(report.Full);
        Assert.Equal(["alice", "bob"], report.Users.Select(user => user.User).Order());
    }

    [Fact]
    public async Task Retries_wait_longer_and_longer_but_never_as_long_as_a_lease()
    {
        _service.Away = true;
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();
        var times = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            var before = _time.GetUtcNow();
            await NextAsync();
            times.Add((_time.GetUtcNow() - before).TotalSeconds);
        }
        Assert.InRange(times[0], 0.05, 1.5);
        Assert.All(times, time => Assert.InRange(time, 0.05, 8));
        Assert.True(times[^3..].Average() > times[0]);
    }

    [Fact]
    public async Task When_asked_for_a_full_report_it_reports_all_users_and_the_memberships_that_have_ended()
    {
        _reporter.ConnectionOpened("alice");
        _reporter.MembershipChanged("lobby", "alice", true);
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();

        _service.NeedFull = true;
        _reporter.MembershipChanged("kitchen", "bob", false);
        Assert.False((await NextAsync()).Full);
        _service.NeedFull = false;
        var report = await NextAsync();

        Assert.True(report.Full);
        Assert.Equal([new UserConnections("alice", 1)], report.Users);
        Assert.Equal([new("kitchen", "bob", false), new RoomMembership("lobby", "alice", true)], report.Rooms.OrderBy(room => room.Room));
        Assert.False((await NextAsync()).Full);
    }

    [Fact]
    public async Task Stopping_reports_that_no_user_is_connected_any_more()
    {
        _reporter.ConnectionOpened("alice");
        await _loop.StartAsync(CancellationToken.None);
        await NextAsync();

        await _loop.StopAsync(CancellationToken.None);

        var farewell = await NextAsync();
        Assert.True(farewell.Full);
        Assert.Empty(farewell.Users);
        Assert.Equal(2, farewell.Sequence);
    }

    [Fact]
    public async Task A_huge_number_of_memberships_is_spread_over_several_reports()
    {
        _reporter.ConnectionOpened("alice");
        for (var i = 0; i < 12_000; i++)
        {
            _reporter.MembershipChanged($"room{i}", "alice", true);
        }

        await _loop.StartAsync(CancellationToken.None);

        var rooms = new HashSet<string>();
        for (var i = 0; i < 3; i++)
        {
            var report = await NextAsync();
            Assert.InRange(report.Rooms.Count, 1, 5_000);
            rooms.UnionWith(report.Rooms.Select(room => room.Room));
        }
        Assert.Equal(12_000, rooms.Count);
    }

    [Fact]
    public void A_change_during_a_report_survives_the_reports_failure()
    {
        _reporter.MembershipChanged("lobby", "alice", true);
        var lost = _reporter.Take();
        _reporter.MembershipChanged("lobby", "alice", false);
        _reporter.Failed(lost);
        Assert.Equal([new RoomMembership("lobby", "alice", false, Brief: true)], _reporter.Take().Rooms);
    }

    [Fact]
    public void Only_a_membership_that_began_and_ended_between_two_reports_is_reported_as_brief()
    {
        _reporter.MembershipChanged("kitchen", "alice", true);
        _reporter.Take();
        _reporter.MembershipChanged("kitchen", "alice", false);
        _reporter.MembershipChanged("lobby", "alice", true);
        _reporter.MembershipChanged("lobby", "alice", false);
        _reporter.MembershipChanged("lobby", "alice", false);
        Assert.Equal(
            [new RoomMembership("kitchen", "alice", false), new("lobby", "alice", false, Brief: true)],
            _reporter.Take().Rooms.OrderBy(room => room.Room));
    }

    [Fact]
    public void A_room_whose_frames_may_have_been_missed_is_named_until_a_report_with_it_is_confirmed()
    {
        _reporter.Missed("lobby");
        _reporter.Missed("lobby");
        var lost = _reporter.Take();
        Assert.Equal(["lobby"], lost.Missed!);
        _reporter.Missed("kitchen");
        _reporter.Failed(lost);
        Assert.Equal(["kitchen", "lobby"], _reporter.Take().Missed!.Order());
        Assert.Empty(_reporter.Take().Missed!);
    }

    [Fact]
    public void Typing_notices_are_merged_per_conversation_and_bounded()
    {
        for (var i = 0; i < 10; i++)
        {
            _reporter.Typing("alice", "lobby", null, i % 2 == 0);
        }

        for (var i = 0; i < 10_000; i++)
        {
            _reporter.Typing($"u{i}", "lobby", null, true);
        }

        var report = _reporter.Take();
        Assert.Contains(new TypingNotice("alice", "lobby", null, false), report.Typing);
        Assert.Equal(4_096, report.Typing.Count);
    }

    [Fact]
    public void Calls_from_many_threads_add_up()
    {
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                _reporter.ConnectionOpened("alice");
                _reporter.MembershipChanged($"room{i % 10}", "alice", true);
                if (i % 100 == 0)
                {
                    _reporter.Failed(_reporter.Take());
                }

                _reporter.ConnectionClosed("alice");
                _reporter.ConnectionOpened($"u{thread}");
            }
        });
        var report = _reporter.Take();
        var expected = Enumerable.Range(0, 8).Select(thread => new UserConnections($"u{thread}", 5_000));
        Assert.Equal(expected, report.Users.OrderBy(user => user.User));
    }

    public async ValueTask DisposeAsync()
    {
        await _loop.StopAsync(new CancellationToken(true));
        _loop.Dispose();
        await _services.DisposeAsync();
    }

    /// <summary>Lets time pass until the next report comes.</summary>
    private async Task<PresenceReport> NextAsync()
    {
        for (var i = 0; i < 10_000; i++)
        {
            if (_service.Reports.TryDequeue(out var report))
            {
                return report;
            }
            // The loop's continuations may run before the clock moves on.
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
            if (_service.Reports.IsEmpty)
            {
                _time.Advance(TimeSpan.FromMilliseconds(50));
            }
        }
        throw new TimeoutException("No report came.");
    }

    private sealed class RecordedService : IPresenceClient
    {
        public System.Collections.Concurrent.ConcurrentQueue<PresenceReport> Reports { get; } = new();

        public volatile bool Away;

        public volatile bool NeedFull;

        public Task<PresenceReportAnswer> ReportAsync(string replica, PresenceReport report, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (away, needFull) = (Away, NeedFull);
            Reports.Enqueue(report);
            return away ? throw new HttpRequestException("away") : Task.FromResult(new PresenceReportAnswer(needFull));
        }
    }
}
