using AspireChat.Client.Api;

namespace AspireChat.Client;

/// <summary>
/// Rooms as a user sees and changes them, by their rules. A change is in the log when its call completes. Thread-safe. Errors are as
/// <see cref="ChatApi"/> says.
/// </summary>
public sealed class ChatRooms
{
    private const string Place = "/api/rooms";

    private readonly ApiCaller _caller;
    private readonly RoomCalls _calls;

    internal ChatRooms(ApiCaller caller) => (_caller, _calls) = (caller, new RoomCalls(caller, Place));

    /// <summary>All rooms that the user may see, in the order of their ids. Pages are asked for as they are needed.</summary>
    /// <param name="query">Beginnings of words in id and name, at most 100 characters; null: every room.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<RoomInfo> AllAsync(string? query = null, CancellationToken cancellationToken = default) =>
        Pages.AllAsync((after, token) => ListAsync(query, after, ApiPath.LargestPage, token), cancellationToken);

    /// <summary>A page of the rooms that the user may see, in the order of their ids.</summary>
    /// <param name="query">Beginnings of words in id and name, at most 100 characters; null: every room.</param>
    /// <param name="after">The <see cref="ChatPage{T}.Next"/> of the page before; null: the first page.</param>
    /// <param name="limit">1–200; null: 50.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<ChatPage<RoomInfo>> ListAsync(
        string? query = null, string? after = null, int? limit = null, CancellationToken cancellationToken = default) =>
        _calls.ListAsync(query, after, limit, cancellationToken);

    /// <summary>Creates a room, whose owner is the user. <see cref="ChatClient.JoinAsync"/> begins to receive its events.</summary>
    /// <param name="settings">What it is; null: public, without a name.</param>
    /// <param name="room">Its id; null: the server makes one.</param>
    /// <param name="members">At most 100 users who are added; null: none. Who cannot become a member is left out.</param>
    /// <param name="cancellationToken">Ends the wait. The room may have been created.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.Exists"/>: the id is taken. <see cref="ChatErrorCodes.Forbidden"/>: only
    /// the server creates rooms. <see cref="ChatErrorCodes.Limit"/>: too many were created in this hour. The call is repeated only where
    /// the server refused to do it, because a second one would create another room, or find its own.</exception>
    public Task<RoomInfo> CreateAsync(
        RoomSettings? settings = null, string? room = null, IReadOnlyCollection<string>? members = null,
        CancellationToken cancellationToken = default)
    {
        var body = ApiBodies.Settings(settings ?? new RoomSettings(), room, members);
        return _calls.RoomAsync(ApiCall.Post(Place, body, Repeat.WhenRefused), cancellationToken);
    }

    /// <summary>A room.</summary>
    public Task<RoomInfo> GetAsync(string room, CancellationToken cancellationToken = default) =>
        _calls.RoomAsync(ApiCall.Get(_calls.Of(room)), cancellationToken);

    /// <summary>Changes what <paramref name="settings"/> names. For owners.</summary>
    /// <returns>The room as it is now.</returns>
    public Task<RoomInfo> UpdateAsync(string room, RoomSettings settings, CancellationToken cancellationToken = default) =>
        _calls.UpdateAsync(room, settings, cancellationToken);

    /// <summary>Deletes a room with its history. For owners.</summary>
    public Task DeleteAsync(string room, CancellationToken cancellationToken = default) => _calls.DeleteAsync(room, cancellationToken);

    /// <summary>All members, in the order of their ids. Pages are asked for as they are needed.</summary>
    public IAsyncEnumerable<RoomMember> AllMembersAsync(string room, CancellationToken cancellationToken = default) =>
        Pages.AllAsync((after, token) => MembersAsync(room, after, ApiPath.LargestPage, token), cancellationToken);

    /// <summary>A page of the members, in the order of their ids, with role, presence and read cursor.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="after">The <see cref="ChatPage{T}.Next"/> of the page before; null: the first page.</param>
    /// <param name="limit">1–200; null: 50.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ChatPage<RoomMember>> MembersAsync(
        string room, string? after = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        var path = ApiPath.With(_calls.Of(room) + "/members", ("after", after), ("limit", ApiPath.Limit(limit)));
        var page = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireMembers, cancellationToken).ConfigureAwait(false);
        return new ChatPage<RoomMember>(
            [.. (page.Items ?? []).Select(member => new RoomMember(member.User, ApiAnswers.ToRole(member.Role))
            {
                Online = member.Online,
                Read = member.Read,
            })],
            page.Next)
        {
            Profiles = ApiAnswers.ToProfiles(page.Profiles),
        };
    }

    /// <summary>Adds a member; who is one already keeps the role. For moderators.</summary>
    /// <returns>What the user is now.</returns>
    public Task<RoomMember> AddMemberAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.MemberAsync(room, user, null, cancellationToken);

    /// <summary>Gives a member a role; adds the user if needed. For owners.</summary>
    /// <returns>What the user is now.</returns>
    public Task<RoomMember> SetRoleAsync(string room, string user, RoomRole role, CancellationToken cancellationToken = default) =>
        _calls.MemberAsync(room, user, role, cancellationToken);

    /// <summary>Removes a member. For moderators; users may remove themselves.</summary>
    /// <exception cref="ChatException">Status 409: the last owner names another one before leaving.</exception>
    public Task RemoveMemberAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.RemoveMemberAsync(room, user, cancellationToken);

    /// <summary>All bans that hold now, in the order of the users' ids. For moderators.</summary>
    public Task<IReadOnlyList<RoomBan>> BansAsync(string room, CancellationToken cancellationToken = default) =>
        _calls.BansAsync(room, cancellationToken);

    /// <summary>Removes a user, who can then not join, read or send. For moderators.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="user">The user's id.</param>
    /// <param name="until">When it ends, in the future; null: it does not.</param>
    /// <param name="reason">At most 500 characters; null: none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task BanAsync(
        string room, string user, DateTimeOffset? until = null, string? reason = null, CancellationToken cancellationToken = default) =>
        _calls.RestrictAsync("bans", room, user, until, reason, cancellationToken);

    /// <summary>Ends a ban. The user is not a member again by that. For moderators.</summary>
    public Task UnbanAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.LiftAsync("bans", room, user, cancellationToken);

    /// <summary>Lets a member read, and not send, edit or react. For moderators.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="user">The user's id.</param>
    /// <param name="until">When it ends, in the future; null: it does not.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task MuteAsync(string room, string user, DateTimeOffset? until = null, CancellationToken cancellationToken = default) =>
        _calls.RestrictAsync("mutes", room, user, until, null, cancellationToken);

    /// <summary>Ends a mute. For moderators.</summary>
    public Task UnmuteAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.LiftAsync("mutes", room, user, cancellationToken);
}
