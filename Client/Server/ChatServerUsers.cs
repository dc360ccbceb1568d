using AspireChat.Client.Api;
using AspireChat.Client.Wire;

namespace AspireChat.Client;

/// <summary>How far the erasure of a user has come.</summary>
public enum UserErasureStatus
{
    /// <summary>It goes on, also over a restart of the server.</summary>
    Running,

    /// <summary>Nothing of the user is left.</summary>
    Done,

    /// <summary>It was given up. Ask for another one.</summary>
    Failed,
}

/// <summary>The erasure of a user. Immutable.</summary>
/// <param name="Id">For <see cref="ChatServerUsers.ErasureAsync"/>.</param>
/// <param name="User">Who is erased.</param>
/// <param name="Status">How far it has come.</param>
/// <param name="Erased">Messages and edits that have lost their content so far.</param>
public sealed record UserErasure(string Id, string User, UserErasureStatus Status, long Erased);

/// <summary>Users as the server sees and changes them. Thread-safe. Errors are as <see cref="ChatServerClient"/> says.</summary>
public sealed class ChatServerUsers
{
    private const string Place = "/api/admin/users";

    private readonly ApiCaller _caller;

    internal ChatServerUsers(ApiCaller caller) => _caller = caller;

    /// <summary>Users that have connected or were given a profile, by the start of id or name.</summary>
    /// <param name="query">At most 128 characters; null: any user.</param>
    /// <param name="limit">1–200; null: 50. There is no further page: ask with a longer <paramref name="query"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<ChatUser>> ListAsync(
        string? query = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        var path = ApiPath.With(Place, ("query", query), ("limit", ApiPath.Limit(limit)));
        var users = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireUsers, cancellationToken).ConfigureAwait(false);
        return [.. (users.Items ?? []).Select(ApiAnswers.ToUser)];
    }

    /// <summary>
    /// Sets how a user is shown, until a token with a name or a picture connects or the server sets another one. The user need not have
    /// connected before.
    /// </summary>
    /// <param name="user">The user's id.</param>
    /// <param name="name">1–100 characters; null takes it away.</param>
    /// <param name="picture">An https address of at most 500 characters; null takes it away.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SetProfileAsync(string user, string? name, string? picture = null, CancellationToken cancellationToken = default) =>
        _caller.CallAsync(
            ApiCall.Put(Of(user), ApiBodies.Of(new WireProfile(name, picture), ApiJson.Default.WireProfile)), cancellationToken);

    /// <summary>Closes all of the user's sockets with 4003. The user's tokens stay good, so the user may come back.</summary>
    public Task DisconnectAsync(string user, CancellationToken cancellationToken = default) =>
        _caller.CallAsync(ApiCall.Post(Of(user) + "/disconnect"), cancellationToken);

    /// <summary>
    /// Refuses, within 1 s and everywhere, the tokens that the user was given until now, and closes the user's sockets with 4003. It may be
    /// done twice, so a token that is minted before this completes may be refused too.
    /// </summary>
    public Task RevokeAsync(string user, CancellationToken cancellationToken = default) =>
        _caller.CallAsync(ApiCall.Post(Of(user) + "/revoke"), cancellationToken);

    /// <summary>
    /// Begins to erase a user: the profile, the memberships, and the content of all messages. <see cref="ErasureAsync"/> tells how far it
    /// has come.
    /// </summary>
    public Task<UserErasure> EraseAsync(string user, CancellationToken cancellationToken = default) =>
        StatusAsync(new ApiCall(HttpMethod.Delete, Of(user)), cancellationToken);

    /// <summary>How far an erasure has come.</summary>
    /// <param name="id">The <see cref="UserErasure.Id"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.NotFound"/>: there is no erasure with this id.</exception>
    public Task<UserErasure> ErasureAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return StatusAsync(ApiCall.Get($"/api/admin/erasures/{Uri.EscapeDataString(id)}"), cancellationToken);
    }

    /// <summary>
    /// Everything that is kept about a user, one JSON object a line, each with a <c>kind</c>: <c>profile</c>, <c>membership</c>,
    /// <c>ban</c>, <c>mute</c>, <c>event</c>. Lines are read as they come, so the size has no bound. The server makes one export at a time
    /// and answers another one with <see cref="ChatErrorCodes.Unavailable"/>.
    /// </summary>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.NoAnswer"/>: it broke off, or a line took longer than
    /// <see cref="ChatCallOptions.Deadline"/>; begin again.</exception>
    public IAsyncEnumerable<string> ExportAsync(string user, CancellationToken cancellationToken = default) =>
        _caller.LinesAsync(ApiCall.Get(Of(user) + "/export"), cancellationToken);

    private static string Of(string user) => $"{Place}/{ApiPath.User(user)}";

    private async Task<UserErasure> StatusAsync(ApiCall call, CancellationToken cancellationToken)
    {
        var erasure = await _caller.CallAsync(call, ApiJson.Default.WireErasure, cancellationToken).ConfigureAwait(false);
        return new UserErasure(erasure.Id, erasure.User, erasure.Status switch
        {
            "done" => UserErasureStatus.Done,
            "failed" => UserErasureStatus.Failed,
            _ => UserErasureStatus.Running,
        }, erasure.Erased);
    }
}
