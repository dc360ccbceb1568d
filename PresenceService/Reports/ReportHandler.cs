using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Presence;
using AspireChat.PresenceService.State;
using AspireChat.PresenceService.Typing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Reports;

/// <summary>
/// Applies the reports of ConnectionService replicas. A report is applied in parts of a bounded number of changes, so that a full one of
/// many thousand users never holds Redis up. A report that stops half-way is harmless, because its replica repeats what was not confirmed.
/// Thread-safe.
/// </summary>
public sealed class ReportHandler(
    PresenceRedis redis,
    ArrivalHandler arrivals,
    TypingHandler typing,
    Doorbell sweep,
    IOptions<PresenceOptions> options,
    PresenceMetrics metrics,
    ILogger<ReportHandler> logger)
{
    /// <summary>Changes in one script call: about a millisecond of Redis.</summary>
    private const int Part = 200;

    private readonly PresenceOptions _options = options.Value;

    /// <exception cref="Exception">Redis is away: the report may have been applied, not at all, or in part.</exception>
    public async Task<PresenceReportAnswer> ApplyAsync(string replica, PresenceReport report, CancellationToken cancellationToken)
    {
        var missed = report.Missed ?? [];
        var memberships = await ConfirmAsync(report.Rooms, cancellationToken);
        var users = report.Full ? [] : report.Users;
        List<string> came = [];

        // The first part settles whether the report counts. The first part of a full report is empty: which users are missing from the
        // report is only known after it, when no older report can slip in any more.
        var small = !report.Full && users.Count + memberships.Count <= Part;
        var outcome = await ApplyPartAsync(
            replica, report, report.Full ? "full" : "change", small ? users : [], small ? memberships : [], came, cancellationToken);
        if (outcome == "applied" && !small)
        {
            outcome = await ApplyRestAsync(replica, report, memberships, came, cancellationToken);
        }

        metrics.Reported(outcome);
        if (outcome == "need_full")
        {
            logger.FullWanted(replica);
        }

        if (outcome == "applied")
        {
            if (report.Full)
            {
                logger.FullReport(replica, report.Users.Count);
            }

            await arrivals.PlaceAsync(came, cancellationToken);
            foreach (var rooms in missed.Chunk(Part))
            {
                await redis.RunAsync(PresenceScripts.Retell, redis.Now, rooms.Select(room => (RedisValue)room), cancellationToken);
            }

            await typing.NoteAsync(report.Typing, cancellationToken);
        }
        if (report.Full || report.Users.Count + report.Rooms.Count + report.Typing.Count + missed.Count > 0)
        {
            sweep.Ring();
        }

        return new PresenceReportAnswer(outcome == "need_full");
    }

    private async Task<string> ApplyRestAsync(
        string replica, PresenceReport report, IReadOnlyList<RoomMembership> memberships, List<string> came,
        CancellationToken cancellationToken)
    {
        var users = report.Users;
        if (report.Full)
        {
            var listed = report.Users.Select(user => user.User).ToHashSet(StringComparer.Ordinal);
            var missing = new HashSet<string>(StringComparer.Ordinal);
            await foreach (var known in RedisScan.FieldsAsync(redis.Database, RedisKeys.PresenceReplicaUsers(replica), cancellationToken))
            {
                if ((string)known! is var user && !listed.Contains(user))
                {
                    missing.Add(user);
                }
            }

            users = [.. missing.Select(user => new UserConnections(user, 0)), .. users];
        }
        var outcome = "applied";
        foreach (var part in users.Chunk(Part))
        {
            if (outcome == "applied")
            {
                outcome = await ApplyPartAsync(replica, report, "more", part, [], came, cancellationToken);
            }
        }
        foreach (var part in memberships.Chunk(Part))
        {
            if (outcome == "applied")
            {
                outcome = await ApplyPartAsync(replica, report, "more", [], part, came, cancellationToken);
            }
        }
        return outcome;
    }

    private async Task<string> ApplyPartAsync(
        string replica, PresenceReport report, string kind, IReadOnlyList<UserConnections> users, IReadOnlyList<RoomMembership> memberships,
        List<string> came, CancellationToken cancellationToken)
    {
        var profiles = await StoredProfiles.ReadAsync(redis.Database, users.Where(user => user.Connections > 0).Select(user => user.User))
            .WaitAsync(cancellationToken);
        var now = redis.Now;
        List<RedisValue> arguments = new(10 + 3 * users.Count + 3 * memberships.Count)
        {
            now + (long)_options.Lease.TotalMilliseconds,
            replica,
            report.Instance,
            report.Sequence,
            kind,
            now + (long)_options.Grace.TotalMilliseconds,
            (long)_options.SeenRetention.TotalMilliseconds,
            (long)_options.Settle.TotalMilliseconds,
            (long)_options.Lease.TotalMilliseconds,
            users.Count,
        };
        foreach (var user in users)
        {
            arguments.AddRange([user.User, user.Connections, profiles.TryGetValue(user.User, out var profile) ? profile.Text : ""]);
        }

        foreach (var membership in memberships)
        {
            arguments.AddRange([membership.Room, membership.User, membership.Member ? "1" : membership.Brief ? "brief" : "0"]);
        }

        var reply = (string[])(await redis.RunAsync(PresenceScripts.Report, now, arguments, cancellationToken))!;
        came.AddRange(reply[1..]);
        metrics.CameOnline(reply.Length - 1);
        return reply[0];
    }

    /// <summary>
    /// A report says which memberships changed. What they are now is read from the log's own record of members, because the reports of two
    /// replicas on one user (joined here, left there) may come in either order. While that record is missing, because Redis was emptied and
    /// is not filled from PostgreSQL yet, the report is believed.
    /// </summary>
    private async Task<IReadOnlyList<RoomMembership>> ConfirmAsync(
        IReadOnlyList<RoomMembership> claims, CancellationToken cancellationToken)
    {
        if (claims.Count == 0)
        {
            return claims;
        }

        var database = redis.Database;
        var open = new Dictionary<int, Task<bool>>();
        var members = new Task<bool>[claims.Count];
        for (var i = 0; i < claims.Count; i++)
        {
            var room = ConversationKey.Room(claims[i].Room);
            if (!open.ContainsKey(room.Partition))
            {
                open.Add(room.Partition, database.KeyExistsAsync(RedisKeys.Epoch(room.Partition)));
            }

            members[i] = database.HashExistsAsync(RedisKeys.Members(room), claims[i].User);
        }
        await Task.WhenAll([.. members, .. open.Values]).WaitAsync(cancellationToken);
        var confirmed = new RoomMembership[claims.Count];
        for (var i = 0; i < claims.Count; i++)
        {
            var isOpen = await open[ConversationKey.Room(claims[i].Room).Partition];
            var claim = claims[i];
            confirmed[i] = isOpen ? claim with { Member = await members[i], Brief = claim.Brief || claim.Member } : claim;
        }
        return confirmed;
    }
}
