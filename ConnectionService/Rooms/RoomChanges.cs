using AspireChat.ConnectionService.Kicks;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Presence;
using AspireChat.Contracts;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Rooms;

/// <summary>
/// Changes rooms and their members, whoever asks, and does all that belongs to a change: the log decides and tells, the order about a removal
/// is kept for nodes that pub/sub does not reach, then the indexes follow. Thread-safe. Throws <see cref="LogUnavailableException"/> when that
/// could not all be done; repeating it is harmless and makes up for it.
/// </summary>
internal sealed class RoomChanges(
    RoomLog rooms, IConversationLog log, IUserQuotas quotas, KickLog kicks, IPresenceReporter presence)
{
    public Task<RoomView> ReadAsync(string room, string user, CancellationToken cancellationToken) =>
        rooms.ReadAsync(room, user, cancellationToken);

    /// <summary>Zero: the user may create another room, and it is counted. Otherwise how long they wait.</summary>
    public Task<TimeSpan> SpendCreationAsync(string user, CancellationToken cancellationToken) =>
        quotas.CreateRoomAsync(user, cancellationToken);

    /// <summary>Creates a room; a user becomes its owner. Those of <paramref name="members"/> who cannot become members are left out.</summary>
    public async Task<RoomChange> CreateAsync(
        RoomActor actor, string room, RoomFields fields, IReadOnlyList<string> members, CancellationToken cancellationToken)
    {
        var change = await rooms.ChangeAsync(actor, room, "create", fields, owned: !actor.IsServer, cancellationToken);
        if (change.Outcome != RoomOutcome.Created)
        {
            return change;
        }

        if (!actor.IsServer)
        {
            rooms.Index(room, actor.User, member: true);
        }

        // The owner of a new room acts as its owner, whatever else the token grants.
        var owner = actor with { Rights = null };
        await Task.WhenAll(members.Where(user => user != actor.User)
            .Select(user => ChangeAsync(owner, room, MemberOperation.Add, user, cancellationToken)));
        await rooms.CommittedAsync(room, change, cancellationToken);
        return change;
    }

    /// <param name="create">The server creates the room where there is none.</param>
    public async Task<RoomChange> UpdateAsync(
        RoomActor actor, string room, RoomFields fields, bool create, CancellationToken cancellationToken)
    {
        var change = await rooms.ChangeAsync(actor, room, create ? "put" : "update", fields, owned: false, cancellationToken);
        await rooms.CommittedAsync(room, change, cancellationToken);
        return change;
    }

    public async Task<RoomChange> DeleteAsync(RoomActor actor, string room, CancellationToken cancellationToken)
    {
        var change = await rooms.ChangeAsync(actor, room, "delete", new RoomFields(), owned: false, cancellationToken);
        if (change.Outcome == RoomOutcome.Changed)
        {
            await OrderAsync(room, [], change.At, "deleted");
            await rooms.ForgetMembersAsync(room, cancellationToken);
            await rooms.CommittedAsync(room, change, cancellationToken);
        }

        return change;
    }

    /// <summary>Changes what a user is in a room. Outcomes of <see cref="RoomOutcome.Full"/> include a user with as many rooms as they may have.</summary>
    public async Task<RoomChange> ChangeAsync(
        RoomActor actor, string room, MemberOperation operation, string user, CancellationToken cancellationToken,
        RoomRole role = RoomRole.None, long until = 0, string reason = "")
    {
        if (operation == MemberOperation.Add && !actor.IsServer && !await quotas.HasSpaceForRoomAsync(user, room, cancellationToken))
        {
            // Who may not add anybody learns nothing of the user.
            var verdict = (await rooms.ReadAsync(room, actor.User, cancellationToken)).May(actor.Rights, RoomAction.Moderate);
            return new RoomChange(
                verdict switch
                {
                    RoomVerdict.Allowed => RoomOutcome.Full,
                    RoomVerdict.Forbidden => RoomOutcome.Forbidden,
                    _ => RoomOutcome.NotFound,
                },
                0, "");
        }

        var untilText = until == 0 ? "" : Timestamps.ToText(until);
        var change = await rooms.ChangeAsync(actor, room, operation, user, cancellationToken, role, until, untilText, reason);
        if (change.Outcome is RoomOutcome.Full or RoomOutcome.Forbidden or RoomOutcome.NotFound)
        {
            return change;
        }

        if (operation is MemberOperation.Remove or MemberOperation.Ban)
        {
            await OrderAsync(room, [user], change.At, operation == MemberOperation.Ban ? "banned" : "removed");
            rooms.Index(room, user, member: false);
            presence.MembershipChanged(room, user, member: false);
        }
        else if (change.Outcome == RoomOutcome.Created)
        {
            rooms.Index(room, user, member: true);
        }

        return change;
    }

    /// <summary>The user leaves by themselves.</summary>
    public async Task<LeaveResult> LeaveAsync(string room, string user, CancellationToken cancellationToken)
    {
        var left = await log.LeaveAsync(room, user, cancellationToken);
        if (!left.IsLastOwner)
        {
            await OrderAsync(room, [user], left.At, "");
            presence.MembershipChanged(room, user, member: false);
        }

        return left;
    }

    private async Task OrderAsync(string room, IReadOnlyCollection<string> users, long at, string reason)
    {
        try
        {
            await kicks.RemoveAsync(room, users, at, reason);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }
}
