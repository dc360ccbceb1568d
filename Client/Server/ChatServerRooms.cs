using AspireChat.Client.Api;

namespace AspireChat.Client;

/// <summary>
/// Rooms as the server sees and changes them: all of them, above their rules. A change is in the log when its call completes. Thread-safe.
/// Errors are as <see cref="ChatServerClient"/> says; <see cref="ChatErrorCodes.NotFound"/> is a room that does not exist.
/// </summary>
public sealed class ChatServerRooms
{
    /// <summary>Most users that one call adds.</summary>
    public const int MostAdded = 100;

    private const string Place = "/api/admin/rooms";

    private readonly ApiCaller _caller;
    private readonly RoomCalls _calls;

    internal ChatServerRooms(ApiCaller caller) => (_caller, _calls) = (caller, new RoomCalls(caller, Place));

    /// <summary>All rooms, private ones too, in the order of their ids. Pages are asked for as they are needed.</summary>
    /// <param name="query">Beginnings of words in id and name, at most 100 characters; null: every room.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<RoomInfo> AllAsync(string? query = null, CancellationToken cancellationToken = default) =>
        Pages.AllAsync((after, token) => ListAsync(query, after, ApiPath.LargestPage, token), cancellationToken);

    /// <summary>A page of the rooms, private ones too, in the order of their ids.</summary>
    /// <param name="query">Beginnings of words in id and name, at most 100 characters; null: every room.</param>
    /// <param name="after">The <see cref="ChatPage{T}.Next"/> of the page before; null: the first page.</param>
    /// <param name="limit">1–200; null: 50.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<ChatPage<RoomInfo>> ListAsync(
        string? query = null, string? after = null, int? limit = null, CancellationToken cancellationToken = default) =>
        _calls.ListAsync(query, after, limit, cancellationToken);

    /// <summary>Creates a room without an owner, or changes what <paramref name="settings"/> names if it exists.</summary>
    /// <returns>The room as it is now.</returns>
    public Task<RoomInfo> PutAsync(string room, RoomSettings? settings = null, CancellationToken cancellationToken = default) =>
        _calls.RoomAsync(ApiCall.Put(_calls.Of(room), ApiBodies.Settings(settings ?? new RoomSettings())), cancellationToken);

    /// <summary>Changes what <paramref name="settings"/> names.</summary>
    /// <returns>The room as it is now.</returns>
    public Task<RoomInfo> UpdateAsync(string room, RoomSettings settings, CancellationToken cancellationToken = default) =>
        _calls.UpdateAsync(room, settings, cancellationToken);

    /// <summary>Deletes a room with its history. Its connections get <see cref="RoomLeft"/> with the reason <c>deleted</c>.</summary>
    public Task DeleteAsync(string room, CancellationToken cancellationToken = default) => _calls.DeleteAsync(room, cancellationToken);

    /// <summary>Adds a member; who is one already keeps the role.</summary>
    /// <returns>What the user is now.</returns>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.Forbidden"/>: the user is banned. <see cref="ChatErrorCodes.Limit"/>: the
    /// room, or the user, has as many as there may be.</exception>
    public Task<RoomMember> AddMemberAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.MemberAsync(room, user, null, cancellationToken);

    /// <summary>Adds up to <see cref="MostAdded"/> members.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="users">Their ids.</param>
    /// <param name="role">Given to all of them, also to who is a member already; null: new ones are members, others keep their
    /// role.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>For each user whether they are a member now, else why not.</returns>
    public async Task<IReadOnlyList<AddMemberResult>> AddMembersAsync(
        string room, IEnumerable<string> users, RoomRole? role = null, CancellationToken cancellationToken = default)
    {
        string[] members = [.. users.Select(ApiBodies.User)];
        if (members.Length > MostAdded)
        {
            throw new ArgumentException($"At most {MostAdded} users at once.", nameof(users));
        }

        var body = ApiBodies.Of(new WireMembersToAdd(members, ApiAnswers.NameOf(role)), ApiJson.Default.WireMembersToAdd);
        var answer = await _caller
            .CallAsync(ApiCall.Post(_calls.Of(room) + "/members", body), ApiJson.Default.WireAddedList, cancellationToken)
            .ConfigureAwait(false);
        return [.. (answer.Items ?? []).Select(item => new AddMemberResult(item.User, item.Code))];
    }

    /// <summary>Gives a member a role; adds the user if needed.</summary>
    /// <returns>What the user is now.</returns>
    /// <exception cref="ChatException">As <see cref="AddMemberAsync"/>.</exception>
    public Task<RoomMember> SetRoleAsync(string room, string user, RoomRole role, CancellationToken cancellationToken = default) =>
        _calls.MemberAsync(room, user, role, cancellationToken);

    /// <summary>Removes a member, also the last owner. Who is no member stays none.</summary>
    public Task RemoveMemberAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.RemoveMemberAsync(room, user, cancellationToken);

    /// <summary>All bans that hold now, in the order of the users' ids.</summary>
    public Task<IReadOnlyList<RoomBan>> BansAsync(string room, CancellationToken cancellationToken = default) =>
        _calls.BansAsync(room, cancellationToken);

    /// <summary>Removes a user, who can then not join, read or send.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="user">The user's id.</param>
    /// <param name="until">When it ends, in the future; null: it does not.</param>
    /// <param name="reason">At most 500 characters; null: none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task BanAsync(
        string room, string user, DateTimeOffset? until = null, string? reason = null, CancellationToken cancellationToken = default) =>
        _calls.RestrictAsync("bans", room, user, until, reason, cancellationToken);

    /// <summary>Ends a ban. The user is not a member again by that.</summary>
    public Task UnbanAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.LiftAsync("bans", room, user, cancellationToken);

    /// <summary>Lets a member read, and not send, edit or react.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="user">The user's id.</param>
    /// <param name="until">When it ends, in the future; null: it does not.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task MuteAsync(string room, string user, DateTimeOffset? until = null, CancellationToken cancellationToken = default) =>
        _calls.RestrictAsync("mutes", room, user, until, null, cancellationToken);

    /// <summary>Ends a mute.</summary>
    public Task UnmuteAsync(string room, string user, CancellationToken cancellationToken = default) =>
        _calls.LiftAsync("mutes", room, user, cancellationToken);
}
