using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Rooms;

/// <summary>The scripts of rooms on a real Redis: they decide at the moment of the act.</summary>
[Trait("Needs", "Redis")]
public sealed class RoomLogTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private readonly string _room = $"room-{Guid.NewGuid():N}";
    private int _nonce;

    private ConversationKey Key => ConversationKey.Room(_room);

    private RoomLog Rooms { get; } = new(
        fixture.Redis, Options.Create(new ConversationLogOptions()), Options.Create(new RoomOptions { BansPerRoom = 2 }), TimeProvider.System);

    private static RoomActor As(string user, int? rights = null) => new(user, rights, IsServer: false);

    [Fact]
    public async Task Where_nobody_has_used_the_rules_everybody_may_leave_and_an_empty_room_is_the_next_ones()
    {
        await using var running = await fixture.StartLogAsync();
        Assert.Equal(RoomRole.Owner, (await JoinAsync(running, "alice")).Role);
        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "bob")).Role);

        Assert.False((await running.Log.LeaveAsync(_room, "alice", default)).IsLastOwner);
        // Nobody becomes the owner of a room with members by joining it.
        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "mallory")).Role);
        await running.Log.LeaveAsync(_room, "mallory", default);
        await running.Log.LeaveAsync(_room, "bob", default);

        Assert.Equal(RoomRole.Owner, (await JoinAsync(running, "carol")).Role);
    }

    [Fact]
    public async Task Who_joins_first_owns_the_room_and_the_last_owner_of_a_room_with_rules_leaves_it_only_alone()
    {
        await using var running = await fixture.StartLogAsync();
        Assert.Equal(RoomRole.Owner, (await JoinAsync(running, "alice")).Role);
        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "bob")).Role);
        Assert.Equal(RoomOutcome.Changed, (await Rooms.ChangeAsync(As("alice"), _room, MemberOperation.Mute, "bob", default)).Outcome);

        Assert.True((await running.Log.LeaveAsync(_room, "alice", default)).IsLastOwner);
        Assert.Equal(RoomRole.Owner, (await JoinAsync(running, "alice")).Role);
        await running.Log.LeaveAsync(_room, "bob", default);
        Assert.False((await running.Log.LeaveAsync(_room, "alice", default)).IsLastOwner);

        Assert.Equal(RoomRole.Owner, (await JoinAsync(running, "carol")).Role);
        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "alice")).Role);
    }

    [Fact]
    public async Task A_room_that_the_server_made_has_no_owner_by_accident()
    {
        await using var running = await fixture.StartLogAsync();
        Assert.Equal(RoomOutcome.Created, (await PutAsync(new RoomFields())).Outcome);

        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "mallory")).Role);
        await running.Log.LeaveAsync(_room, "mallory", default);
        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "mallory")).Role);
    }

    [Fact]
    public async Task Where_only_the_server_creates_a_join_makes_no_room()
    {
        await using var running = await fixture.StartLogAsync(rooms: new RoomOptions { CreatedBy = RoomCreation.Server });

        Assert.Equal(JoinRefusal.NotFound, (await JoinAsync(running, "alice")).Refusal);
        await PutAsync(new RoomFields());
        Assert.Equal(JoinRefusal.None, (await JoinAsync(running, "alice")).Refusal);
    }

    [Fact]
    public async Task A_private_room_lets_in_whoever_was_added_or_holds_a_grant_and_nobody_else()
    {
        await using var running = await fixture.StartLogAsync();
        await Rooms.ChangeAsync(As("alice"), _room, "create", new RoomFields(RoomVisibility.Private), owned: true, default);

        Assert.Equal(JoinRefusal.NotFound, (await JoinAsync(running, "mallory")).Refusal);
        Assert.Equal(RoomOutcome.NotFound, (await ChangeAsync("mallory", MemberOperation.Add, "mallory")).Outcome);
        Assert.Equal(JoinRefusal.NotFound, (await running.Log.JoinAsync(_room, "mallory", default, RoomRules.Send)).Refusal);
        Assert.Equal(RoomOutcome.Created, (await ChangeAsync("alice", MemberOperation.Add, "bob")).Outcome);
        Assert.Equal(RoomRole.Member, (await JoinAsync(running, "bob")).Role);
        Assert.Equal(JoinRefusal.None, (await running.Log.JoinAsync(_room, "carol", default, RoomRules.Join)).Refusal);
        Assert.Equal(AppendStatus.NoSuchRoom, await SendAsync(running, "mallory"));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "bob"));
    }

    [Fact]
    public async Task Nobody_acts_on_somebody_of_a_higher_or_the_same_role()
    {
        await using var running = await fixture.StartLogAsync();
        foreach (var user in (string[])["owner", "mod", "mod2", "member", "member2"])
        {
            await JoinAsync(running, user);
        }

        await ChangeAsync("owner", MemberOperation.Add, "mod", RoomRole.Moderator);
        await ChangeAsync("owner", MemberOperation.Add, "mod2", RoomRole.Moderator);
        foreach (var operation in (MemberOperation[])[MemberOperation.Remove, MemberOperation.Ban, MemberOperation.Mute])
        {
            Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("member", operation, "member2")).Outcome);
            Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("mod", operation, "mod2")).Outcome);
            Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("mod", operation, "owner")).Outcome);
            Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("mod", operation, "mod")).Outcome);
        }

        Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("mod", MemberOperation.Add, "member", RoomRole.Moderator)).Outcome);
        Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("mod", MemberOperation.Add, "mod", RoomRole.Owner)).Outcome);
        Assert.Equal(RoomOutcome.Forbidden, (await Rooms.ChangeAsync(As("mod"), _room, "update", new RoomFields(RoomVisibility.Private), false, default)).Outcome);
        Assert.Equal(RoomOutcome.Forbidden, (await Rooms.ChangeAsync(As("owner", RoomRules.Send), _room, "delete", new RoomFields(), false, default)).Outcome);
        Assert.Equal(RoomOutcome.Changed, (await ChangeAsync("mod", MemberOperation.Remove, "member")).Outcome);
        Assert.Equal(RoomOutcome.Changed, (await ChangeAsync("owner", MemberOperation.Remove, "mod2")).Outcome);
        Assert.Equal(RoomOutcome.Changed, (await Rooms.ChangeAsync(RoomActor.Server, _room, MemberOperation.Remove, "owner", default)).Outcome);
    }

    [Fact]
    public async Task A_removal_holds_also_when_a_node_that_missed_it_writes_memberships_again()
    {
        await using var running = await fixture.StartLogAsync();
        await JoinAsync(running, "alice");
        await JoinAsync(running, "bob");
        await ChangeAsync("alice", MemberOperation.Remove, "bob");

        Assert.Equal(AppendStatus.NotMember, await SendAsync(running, "bob"));
        Assert.Equal(JoinRefusal.Forbidden, (await running.Log.RejoinAsync(_room, "bob", default)).Refusal);
        // The room is public: who asks by themselves comes back.
        Assert.Equal(JoinRefusal.None, (await JoinAsync(running, "bob")).Refusal);
        Assert.Equal(JoinRefusal.None, (await running.Log.RejoinAsync(_room, "bob", default)).Refusal);
    }

    [Fact]
    public async Task A_ban_keeps_out_until_it_ends_or_is_lifted_and_a_room_has_so_many_and_no_more()
    {
        await using var running = await fixture.StartLogAsync();
        await JoinAsync(running, "alice");
        await JoinAsync(running, "bob");
        var soon = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + 300;
        await ChangeAsync("alice", MemberOperation.Ban, "bob");
        await ChangeAsync("alice", MemberOperation.Ban, "eve", until: soon);

        Assert.Equal(JoinRefusal.Forbidden, (await JoinAsync(running, "bob")).Refusal);
        Assert.Equal(RoomOutcome.Forbidden, (await ChangeAsync("alice", MemberOperation.Add, "bob")).Outcome);
        Assert.Equal(RoomOutcome.Full, (await ChangeAsync("alice", MemberOperation.Ban, "trent")).Outcome);
        await Eventually.IsTrueAsync(
            async () => (await JoinAsync(running, "eve")).Refusal == JoinRefusal.None, "the ban has ended");
        Assert.Equal(RoomOutcome.Changed, (await ChangeAsync("alice", MemberOperation.Ban, "trent")).Outcome);
        Assert.Equal(RoomOutcome.Changed, (await ChangeAsync("alice", MemberOperation.Unban, "bob")).Outcome);
        Assert.Equal(JoinRefusal.None, (await JoinAsync(running, "bob")).Refusal);
    }

    [Fact]
    public async Task Who_is_muted_neither_sends_nor_edits_nor_reacts_and_where_moderators_send_a_member_does_not()
    {
        await using var running = await fixture.StartLogAsync();
        await JoinAsync(running, "alice");
        await JoinAsync(running, "bob");
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "bob"));
        await ChangeAsync("alice", MemberOperation.Mute, "bob");

        Assert.Equal(AppendStatus.Forbidden, await SendAsync(running, "bob"));
        Assert.Equal(AppendStatus.Forbidden, await SendAsync(running, "bob", EventKind.Edit, 1));
        Assert.Equal(AppendStatus.Forbidden, await SendAsync(running, "bob", EventKind.React, 1));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "alice"));
        await ChangeAsync("alice", MemberOperation.Unmute, "bob");
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "bob"));

        await Rooms.ChangeAsync(As("alice"), _room, "update", new RoomFields(Sending: RoomSending.Moderators), false, default);
        Assert.Equal(AppendStatus.Forbidden, await SendAsync(running, "bob"));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "bob", EventKind.React, 1));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "alice"));
        Assert.Equal(AppendStatus.Forbidden, await SendAsync(running, "alice", authority: RoomAuthority.Capped));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "news", authority: RoomAuthority.Server));
    }

    [Fact]
    public async Task A_moderator_deletes_anybodys_message_and_edits_nobodys()
    {
        await using var running = await fixture.StartLogAsync();
        await JoinAsync(running, "alice");
        await JoinAsync(running, "bob");
        await SendAsync(running, "alice");
        await SendAsync(running, "alice");

        Assert.Equal(AppendStatus.NotAuthor, await SendAsync(running, "bob", EventKind.Delete, 1));
        await ChangeAsync("alice", MemberOperation.Add, "bob", RoomRole.Moderator);
        Assert.Equal(AppendStatus.NotAuthor, await SendAsync(running, "bob", EventKind.Edit, 1));
        Assert.Equal(AppendStatus.NotAuthor, await SendAsync(running, "bob", EventKind.Delete, 1, RoomAuthority.Capped));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "bob", EventKind.Delete, 1));
        Assert.Equal(AppendStatus.Accepted, await SendAsync(running, "system", EventKind.Delete, 2, RoomAuthority.Server));
        Assert.All((await TailReader.ReadAfterAsync(fixture.Database, Key, 0, 2))!.Events, e => Assert.Equal(("", true), (e.Content, e.Deleted)));
    }

    [Fact]
    public async Task A_deleted_room_is_gone_and_its_id_begins_a_new_log_in_a_new_epoch()
    {
        await using var running = await fixture.StartLogAsync();
        await JoinAsync(running, "alice");
        await JoinAsync(running, "bob");
        await running.AppendAsync(LogFixture.Message(Key, "alice", "same nonce", "secret"));
        Assert.Equal(RoomOutcome.Changed, (await Rooms.ChangeAsync(As("alice"), _room, "delete", new RoomFields(), false, default)).Outcome);

        Assert.False((await Rooms.ReadAsync(_room, "alice", default)).Standing.Exists);
        Assert.Equal(AppendStatus.NoSuchRoom, await SendAsync(running, "alice"));
        Assert.Equal(AppendStatus.NoSuchRoom, await SendAsync(running, "system", authority: RoomAuthority.Server));
        Assert.Equal(JoinRefusal.Deleted, (await running.Log.RejoinAsync(_room, "bob", default)).Refusal);
        var strangers = Assert.Single(await running.Log.ReadStrangersAsync([new RoomUsers(_room, ["alice", "bob"])], default));
        Assert.Equal(2, strangers.Users.Count);

        var again = await JoinAsync(running, "bob");
        Assert.Equal((RoomRole.Owner, $"{LogFixture.Epoch}.1"), (again.Role, again.Epoch));
        var first = await running.AppendAsync(LogFixture.Message(Key, "alice", "same nonce"), requireMember: false);
        Assert.Equal((AppendStatus.Accepted, again.Epoch, again.Head + 1), (first.Status, first.Epoch, first.Seq));
        Assert.Equal(AppendStatus.Duplicate, (await running.AppendAsync(LogFixture.Message(Key, "alice", "same nonce"))).Status);
        Assert.Equal(AppendStatus.NoSuchTarget, await SendAsync(running, "bob", EventKind.React, 1));
        var slice = await TailReader.ReadAfterAsync(fixture.Database, Key, 0, 10);
        Assert.Equal((0, again.Head, again.Epoch), (slice!.Events.Count, slice.Floor, slice.Epoch));
        Assert.Equal(again.Epoch, (await running.Log.ReadHeadsAsync([Key], default))[Key].Epoch);
    }

    private Task<JoinResult> JoinAsync(RunningLog running, string user) => running.Log.JoinAsync(_room, user, default);

    private Task<RoomChange> PutAsync(RoomFields fields) => Rooms.ChangeAsync(RoomActor.Server, _room, "put", fields, owned: false, default);

    private Task<RoomChange> ChangeAsync(string actor, MemberOperation operation, string user, RoomRole role = RoomRole.None, long until = 0) =>
        Rooms.ChangeAsync(As(actor), _room, operation, user, default, role, until, until == 0 ? "" : "2030-01-01T00:00:00.000Z");

    private async Task<AppendStatus> SendAsync(
        RunningLog running, string user, EventKind kind = EventKind.Room, long target = 0, RoomAuthority authority = RoomAuthority.Own)
    {
        var e = LogFixture.Message(Key, user, $"n{++_nonce}") with
        {
            Kind = kind, Target = target,
            Content = kind is EventKind.Room or EventKind.Edit ? "text" : null, Emoji = kind == EventKind.React ? "x" : null,
        };
        return (await running.Log.AppendAsync(e, 100, authority: authority)).Status;
    }
}
