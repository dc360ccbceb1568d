using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>Starts what a hub asks for, and posts the answers to the hub's mailbox.</summary>
internal sealed class HubEffects(
    HubMailbox mailbox,
    HubDirectory directory,
    IChannelSubscriber subscriber,
    IConversationLog log,
    EventReader events,
    ReplayReads replays,
    JoinTurns joins,
    MembershipIndex memberships,
    IPresenceReporter presence,
    Removals removals,
    RecurringFault fault,
    ILogger logger) : IHubEffects
{
    /// <summary>Of the removals that the hub has handled.</summary>
    private long _round;

    /// <summary>Longer than Redis usually takes to come back after a blip, shorter than a client's patience.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The same for what may have to wait for its turn first.</summary>
    private static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(13);

    public void Subscribe(ChatChannel channel) => _ = RunAsync(
        "Subscribing",
        async _ => new HubMessage.Subscribed(channel, await subscriber.SubscribeAsync(channel, mailbox)),
        () => new HubMessage.Subscribed(channel, Success: false));

    public void Unsubscribe(ChatChannel channel) => _ = RunAsync(
        "Unsubscribing",
        async _ =>
        {
            await subscriber.UnsubscribeAsync(channel);
            return new HubMessage.Unsubscribed(channel);
        },
        () => new HubMessage.Unsubscribed(channel));

    public void Join(string room, string user, long token, int? rights) => _ = RunAsync(
        "Joining",
        async cancellation => new HubMessage.JoinAnswer(room, token, Known(await joins.JoinAsync(room, user, rights, cancellation), room, user)),
        () => new HubMessage.JoinAnswer(room, token, null),
        LongPatience);

    public void Rejoin(string room, string user, long token) => _ = RunAsync(
        "Joining again",
        async cancellation =>
        {
            var joined = Known(await log.RejoinAsync(room, user, cancellation), room, user);
            return new HubMessage.RejoinAnswer(room, token, Written: true) { Refusal = joined.Refusal };
        },
        () => new HubMessage.RejoinAnswer(room, token, Written: false));

    public void Leave(string room, string user) => _ = RunAsync(
        "Leaving",
        async cancellation =>
        {
            var left = await log.LeaveAsync(room, user, cancellation);
            if (left.IsLastOwner)
            {
                return new HubMessage.LeaveAnswer(room, user, left.At) { IsLastOwner = true };
            }

            memberships.Remove(user, room);
            return new HubMessage.LeaveAnswer(room, user, left.At);
        },
        () => new HubMessage.LeaveAnswer(room, user, null));

    public void ReadMembers(IReadOnlyCollection<RoomUsers> rooms) => _ = RunAsync(
        "Reading members",
        async cancellation => new HubMessage.MembersAnswer(await log.ReadStrangersAsync(rooms, cancellation)),
        () => new HubMessage.MembersAnswer(null));

    public void ReadPresence(string room) => _ = RunAsync(
        "Reading presence",
        async _ => new HubMessage.PresenceAnswer(room, await memberships.ReadPresenceAsync(room)),
        () => new HubMessage.PresenceAnswer(room, RoomPresence.Unknown));

    public void ReadForRepair(FeedId feed, long afterSeq, int limit, long token) => _ = RunAsync(
        "Reading a tail",
        async cancellation => new HubMessage.RepairAnswer(feed, token, await events.ReadAsync(feed.Key, afterSeq, limit, cancellation)),
        () => new HubMessage.RepairAnswer(feed, token, null));

    public void ReadForReplay(FeedId feed, long afterSeq, int limit, long token) => _ = RunAsync(
        "Reading a page of a replay",
        async cancellation => new HubMessage.ReplayAnswer(
            feed, token, await replays.ReadAsync(feed.Key, afterSeq, limit, cancellation)),
        () => new HubMessage.ReplayAnswer(feed, token, null));

    public void ReadPlaces(IReadOnlyCollection<int> partitions) => _ = RunAsync(
        "Reading places",
        async cancellation => new HubMessage.PlacesAnswer(await log.ReadPlacesAsync(partitions, cancellation)),
        () => new HubMessage.PlacesAnswer(null));

    public void ReadHeads(IReadOnlyCollection<ConversationKey> conversations) => _ = RunAsync(
        "Reading heads",
        async cancellation => new HubMessage.HeadsAnswer(await log.ReadHeadsAsync(conversations, cancellation)),
        () => new HubMessage.HeadsAnswer(null));

    public bool KnowsRemovals(TimeSpan age) => removals.IsKnown(_round, age);

    public void RemovalsHandled(long round) => _round = Math.Max(_round, round);

    public void PostToRoom(string room, HubMessage message) => directory.OfRoom(room).Post(message);

    public void PostToSelf(HubMessage message) => mailbox.Post(message);

    public void MembershipChanged(string room, string user, bool member) => presence.MembershipChanged(room, user, member);

    public void ProfileChanged(string user) => presence.ProfileChanged(user);

    public void PresenceMissed(string room) => presence.Missed(room);

    private JoinResult Known(JoinResult result, string room, string user)
    {
        if (result.Refusal == JoinRefusal.None)
        {
            memberships.Add(user, room);
        }
        return result;
    }

    private async Task RunAsync(string operation, Func<CancellationToken, Task<HubMessage>> run, Func<HubMessage> failed, TimeSpan? patience = null)
    {
        // Not on the hub's loop: what is started may do work before its first wait.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        HubMessage answer;
        try
        {
            using var end = new CancellationTokenSource(patience ?? Patience);
            answer = await run(end.Token);
        }
        catch (Exception e)
        {
            if (e is not (LogUnavailableException or OperationCanceledException) && fault.IsDue(out var count))
            {
                HubLog.OperationFailed(logger, operation, e.Message, count);
            }

            answer = failed();
        }
        mailbox.Post(answer);
    }
}
