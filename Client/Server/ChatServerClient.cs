using AspireChat.Client.Api;

namespace AspireChat.Client;

/// <summary>
/// The server API, for a product's own backend: rooms and members, messages in anybody's name, users, and what webhooks could not deliver.
/// It stands above the rules of rooms. Its token has the scope <c>chat:admin</c>; it mints none. Thread-safe.
/// </summary>
/// <remarks>
/// Every call throws <see cref="ChatException"/> when it is refused, with the server's code, the HTTP status, the sentence as its message,
/// and <see cref="ChatException.RetryAfter"/>. What failed in passing (429 <c>rate_limited</c>, 408, 502, 503, 504, no answer) is repeated
/// until <see cref="ChatCallOptions.Deadline"/>, then thrown; <see cref="ChatErrorCodes.NoAnswer"/> is a call that nobody answered. All
/// calls can be repeated without harm except <see cref="ChatServerWebhooks.ReplayAsync"/>, which is repeated only where the server refused
/// to do it. <see cref="ChatErrorCodes.Token"/>: the token provider failed, or the server refused two of its tokens in a row.
/// <c>forbidden</c>: the token lacks the scope.
/// An id that cannot be one is an <see cref="ArgumentException"/>, before anything is sent.
/// </remarks>
public sealed class ChatServerClient
{
    private readonly ApiCaller _caller;

    /// <summary>Creates the client; it asks for nothing yet.</summary>
    /// <param name="http">Makes the calls. It is not disposed, its base address is not used, and its <c>Timeout</c> ends an
    /// attempt.</param>
    /// <param name="options">Where the server is and who asks. Clients with the same options share the token.</param>
    /// <exception cref="ArgumentException">An option is missing or cannot work; the message names it.</exception>
    public ChatServerClient(HttpClient http, ChatServerClientOptions options)
    {
        _caller = new ApiCaller(http, options);
        Rooms = new ChatServerRooms(_caller);
        Users = new ChatServerUsers(_caller);
        Webhooks = new ChatServerWebhooks(_caller);
    }

    /// <summary>Rooms, their members, bans and mutes.</summary>
    public ChatServerRooms Rooms { get; }

    /// <summary>Users: profiles, disconnecting, revoking, erasing, exporting.</summary>
    public ChatServerUsers Users { get; }

    /// <summary>What webhooks could not deliver.</summary>
    public ChatServerWebhooks Webhooks { get; }

    /// <summary>Sends a message to a room, without membership. It is in the log when this completes.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="content">1–8,000 UTF-16 code units.</param>
    /// <param name="options">The sender, the nonce and the rest; null: from <c>system</c>.</param>
    /// <param name="cancellationToken">Ends the wait. The message may have been sent.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.NotFound"/>: there is no such room. See the remarks of the
    /// class.</exception>
    public Task<SendReceipt> SendToRoomAsync(
        string room, string content, ChatServerMessageOptions? options = null, CancellationToken cancellationToken = default) =>
        SendAsync($"/api/admin/rooms/{ApiPath.Room(room)}/messages", Conversation.Room(room), content, options, cancellationToken);

    /// <summary>
    /// Sends a direct message to a user. It stands in the conversation of that user and the sender, and is in the log when this completes.
    /// </summary>
    /// <param name="user">The addressee's id. The user need not have been seen yet.</param>
    /// <param name="content">1–8,000 UTF-16 code units.</param>
    /// <param name="options">The sender, the nonce and the rest; null: from <c>system</c>.</param>
    /// <param name="cancellationToken">Ends the wait. The message may have been sent.</param>
    /// <exception cref="ChatException">See the remarks of the class.</exception>
    public Task<SendReceipt> SendToUserAsync(
        string user, string content, ChatServerMessageOptions? options = null, CancellationToken cancellationToken = default) =>
        SendAsync($"/api/admin/dms/{ApiPath.User(user)}/messages", Conversation.With(user), content, options, cancellationToken);

    /// <summary>Deletes a message of a room, whoever sent it. Members get a <see cref="MessageDeleted"/> from <c>system</c>.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="seq">The message's seq.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.NotFound"/>: there is no such message.</exception>
    public Task DeleteMessageAsync(string room, long seq, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seq, 1);
        // A deleted message can be deleted again, so a 404 means what it says.
        var call = ApiCall.Delete(FormattableString.Invariant($"/api/admin/rooms/{ApiPath.Room(room)}/messages/{seq}"));
        return _caller.CallAsync(call with { Removes = false }, cancellationToken);
    }

    private async Task<SendReceipt> SendAsync(
        string path, Conversation conversation, string content, ChatServerMessageOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(content);
        options ??= new ChatServerMessageOptions();
        var message = new WireMessage(
            content, options.Nonce ?? Guid.NewGuid().ToString("N"), options.From, options.ReplyTo, options.Mentions,
            ApiBodies.Meta(options.Meta));
        // The nonce makes it one message, however often it is asked for.
        var call = ApiCall.Post(path, ApiBodies.Of(message, ApiJson.Default.WireMessage));
        return ApiAnswers.ToAccepted(
            await _caller.CallAsync(call, ApiJson.Default.WireAck, cancellationToken).ConfigureAwait(false), conversation);
    }
}
