using System.Runtime.CompilerServices;
using AspireChat.Client.Wire;

namespace AspireChat.Client.Api;

/// <summary>The calls about rooms that a user and the server both have, below one address. Thread-safe.</summary>
/// <param name="place"><c>/api/rooms</c> or <c>/api/admin/rooms</c>.</param>
internal sealed class RoomCalls(ApiCaller caller, string place)
{
    public async Task<ChatPage<RoomInfo>> ListAsync(string? query, string? after, int? limit, CancellationToken cancellationToken)
    {
        var path = ApiPath.With(place, ("query", query), ("after", after), ("limit", ApiPath.Limit(limit)));
        var page = await caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireRooms, cancellationToken).ConfigureAwait(false);
        return new ChatPage<RoomInfo>([.. (page.Items ?? []).Select(ApiAnswers.ToRoom)], page.Next);
    }

    public async Task<RoomInfo> RoomAsync(ApiCall call, CancellationToken cancellationToken) =>
        ApiAnswers.ToRoom(await caller.CallAsync(call, ApiJson.Default.WireRoom, cancellationToken).ConfigureAwait(false));

    public Task<RoomInfo> UpdateAsync(string room, RoomSettings settings, CancellationToken cancellationToken) =>
        RoomAsync(ApiCall.Patch(Of(room), ApiBodies.Settings(settings)), cancellationToken);

    public Task DeleteAsync(string room, CancellationToken cancellationToken) =>
        caller.CallAsync(ApiCall.Delete(Of(room)), cancellationToken);

    public async Task<RoomMember> MemberAsync(string room, string user, RoomRole? role, CancellationToken cancellationToken)
    {
        var body = ApiBodies.Of(new WireMemberRole(ApiAnswers.NameOf(role)), ApiJson.Default.WireMemberRole);
        var answer = await caller
            .CallAsync(ApiCall.Put(Of(room, "members", user), body), ApiJson.Default.WireMemberRole, cancellationToken)
            .ConfigureAwait(false);
        return new RoomMember(user, ApiAnswers.ToRole(answer.Role));
    }

    public Task RemoveMemberAsync(string room, string user, CancellationToken cancellationToken) =>
        caller.CallAsync(ApiCall.Delete(Of(room, "members", user)), cancellationToken);

    public async Task<IReadOnlyList<RoomBan>> BansAsync(string room, CancellationToken cancellationToken)
    {
        var bans = await caller
            .CallAsync(ApiCall.Get(Of(room) + "/bans"), ApiJson.Default.WireBans, cancellationToken).ConfigureAwait(false);
        return [.. (bans.Items ?? []).Select(ban => new RoomBan(ban.User, ServerFrameReader.ToTime(ban.Until), ban.Reason, ban.By))];
    }

    /// <param name="list"><c>bans</c> or <c>mutes</c>.</param>
    public Task RestrictAsync(
        string list, string room, string user, DateTimeOffset? until, string? reason, CancellationToken cancellationToken) =>
        caller.CallAsync(ApiCall.Put(Of(room, list, user), ApiBodies.Restriction(until, reason)), cancellationToken);

    public Task LiftAsync(string list, string room, string user, CancellationToken cancellationToken) =>
        caller.CallAsync(ApiCall.Delete(Of(room, list, user)), cancellationToken);

    /// <summary>The address of a room.</summary>
    public string Of(string room) => $"{place}/{ApiPath.Room(room)}";

    private string Of(string room, string list, string user) => $"{Of(room)}/{list}/{ApiPath.User(user)}";
}

/// <summary>Goes through the pages of a list. Thread-safe: pure functions.</summary>
internal static class Pages
{
    /// <summary>All items. A page is asked for when the one before it is used up.</summary>
    public static async IAsyncEnumerable<T> AllAsync<T>(
        Func<string?, CancellationToken, Task<ChatPage<T>>> next, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? place = null;
        do
        {
            var page = await next(place, cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Items)
            {
                yield return item;
            }

            place = page.Next;
        }
        while (place is not null);
    }
}
