using AspireChat.Client.Api;
using AspireChat.Client.Wire;

namespace AspireChat.Client;

/// <summary>
/// What a user can ask for and change over HTTP, without a connection: rooms and their members, search, users, presence, conversations,
/// history. Thread-safe.
/// </summary>
/// <remarks>
/// Every call throws <see cref="ChatException"/> when it is refused, with the server's code, the HTTP status, the sentence as its message,
/// and <see cref="ChatException.RetryAfter"/>. A room that the user must not see is <see cref="ChatErrorCodes.NotFound"/>; what the user
/// may not do in a room is <see cref="ChatErrorCodes.Forbidden"/>. What failed in passing (429 <c>rate_limited</c>, 408, 502, 503, 504, no
/// answer) is repeated until <see cref="ChatCallOptions.Deadline"/>, then thrown; <see cref="ChatErrorCodes.NoAnswer"/> is a call that
/// nobody answered. <see cref="ChatErrorCodes.Token"/>: the token provider failed, or the server refused two of its tokens in a row.
/// An id that cannot be one is an <see cref="ArgumentException"/>, before anything is sent.
/// </remarks>
public sealed class ChatApi
{
    /// <summary>Most users whose presence one call tells.</summary>
    public const int MostPresences = 500;

    private readonly ApiCaller _caller;

    /// <summary>Creates the client; it asks for nothing yet.</summary>
    /// <param name="http">Makes the calls. It is not disposed, its base address is not used, and its <c>Timeout</c> ends an
    /// attempt.</param>
    /// <param name="options">Where the server is and who asks. Clients with the same options share the token.</param>
    /// <exception cref="ArgumentException">An option is missing or cannot work; the message names it.</exception>
    public ChatApi(HttpClient http, ChatApiOptions options) : this((HttpMessageInvoker)http, options)
    {
    }

    /// <summary>
    /// With the calls of a <see cref="ChatClient"/>. An HttpClient around them would not do: they may come from an HttpClient, which takes
    /// no request that another one has sent.
    /// </summary>
    internal ChatApi(HttpMessageInvoker http, ChatApiOptions options)
    {
        _caller = new ApiCaller(http, options);
        Rooms = new ChatRooms(_caller);
    }

    /// <summary>Rooms, their members, roles, bans and mutes.</summary>
    public ChatRooms Rooms { get; }

    /// <summary>Sends a message to a room of which the user is a member. It is in the log when this completes.</summary>
    /// <param name="room">The room's id.</param>
    /// <param name="content">1–8,000 UTF-16 code units.</param>
    /// <param name="options">The nonce and the rest; null: only the text.</param>
    /// <param name="cancellationToken">Ends the wait. The message may have been sent.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.Forbidden"/>: the user is no member, is muted, or the product's own server
    /// refused the message. <see cref="ChatErrorCodes.NotFound"/>: no such room, or no event to reply to.
    /// <see cref="ChatErrorCodes.Limit"/>: the day's budget is spent.</exception>
    public async Task<SendReceipt> SendAsync(
        string room, string content, ChatMessageOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(content);
        options ??= new ChatMessageOptions();
        var message = new WireMessage(
            content, options.Nonce ?? Guid.NewGuid().ToString("N"), null, options.ReplyTo, options.Mentions, ApiBodies.Meta(options.Meta));
        var call = ApiCall.Post($"/api/rooms/{ApiPath.Room(room)}/messages", ApiBodies.Of(message, ApiJson.Default.WireMessage));
        return ApiAnswers.ToAccepted(
            await _caller.CallAsync(call, ApiJson.Default.WireAck, cancellationToken).ConfigureAwait(false), Conversation.Room(room));
    }

    /// <summary>A page of a conversation's history, newest first, or oldest first with <paramref name="after"/>.</summary>
    /// <param name="conversation">A room, or the direct conversation with a user.</param>
    /// <param name="before">A seq, or the <see cref="HistoryPage.Next"/> of a page that was asked for with <c>before</c>. Give this or
    /// <paramref name="after"/>, not both.</param>
    /// <param name="after">A seq, or the <see cref="HistoryPage.Next"/> of a page that was asked for with <c>after</c>.</param>
    /// <param name="limit">1–200; null: 50.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<HistoryPage> HistoryAsync(
        Conversation conversation, string? before = null, string? after = null, int? limit = null,
        CancellationToken cancellationToken = default)
    {
        if (before is not null && after is not null)
        {
            throw new ArgumentException("Give before or after, not both.", nameof(after));
        }

        conversation.Named(nameof(conversation));
        var place = conversation.IsRoom
            ? $"/api/rooms/{conversation.RoomId}/messages"
            : $"/api/dms/{Uri.EscapeDataString(conversation.User)}/messages";
        var path = ApiPath.With(place, ("before", before), ("after", after), ("limit", ApiPath.Limit(limit)));
        var page = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireEvents, cancellationToken).ConfigureAwait(false);
        var epoch = page.Epoch ?? "";
        return new HistoryPage(
            [.. (page.Items ?? []).Select(item => ServerFrameReader.ToEvent(Checked(item), conversation, epoch))],
            epoch, page.Head ?? 0, page.Next);
    }

    /// <summary>
    /// Messages that have all words of <paramref name="words"/>, of those that the user may read, newest first. A deleted message is never
    /// found, an edited one by its present text.
    /// </summary>
    /// <param name="words">1–200 characters: whole words in any order, in upper or lower case.</param>
    /// <param name="inside">Only in this conversation; null: in all.</param>
    /// <param name="from">Only messages of this user; null: of anybody.</param>
    /// <param name="before">The <see cref="ChatPage{T}.Next"/> of the page before; null: the first page.</param>
    /// <param name="limit">1–200; null: 50.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ChatPage<MessageSent>> SearchAsync(
        string words, Conversation? inside = null, string? from = null, string? before = null, int? limit = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(words);
        inside?.Named(nameof(inside));
        var path = ApiPath.With(
            "/api/search", ("q", words), ("room", inside?.RoomId), ("to", inside?.User), ("from", from), ("before", before),
            ("limit", ApiPath.Limit(limit)));
        var page = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireEvents, cancellationToken).ConfigureAwait(false);
        return new ChatPage<MessageSent>(
            [.. (page.Items ?? []).Select(item => ServerFrameReader.ToEvent(Checked(item), inside ?? PlaceOf(item), null)).OfType<MessageSent>()],
            page.Next)
        {
            Profiles = ApiAnswers.ToProfiles(page.Profiles),
        };
    }

    /// <summary>Users that have connected or were given a profile, by the start of id or name.</summary>
    /// <param name="query">At most 128 characters; null: any user.</param>
    /// <param name="limit">1–200; null: 50. There is no further page: ask with a longer <paramref name="query"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<ChatUser>> UsersAsync(
        string? query = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        var path = ApiPath.With("/api/users", ("query", query), ("limit", ApiPath.Limit(limit)));
        var users = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireUsers, cancellationToken).ConfigureAwait(false);
        return [.. (users.Items ?? []).Select(ApiAnswers.ToUser)];
    }

    /// <summary>Whether a user is online. A user whom nobody has heard of is offline and has never been seen.</summary>
    public async Task<UserPresence> PresenceAsync(string user, CancellationToken cancellationToken = default) =>
        ApiAnswers.ToPresence(await _caller
            .CallAsync(ApiCall.Get($"/api/users/{ApiPath.User(user)}/presence"), ApiJson.Default.WirePresence, cancellationToken)
            .ConfigureAwait(false));

    /// <summary>Whether users are online, in the order of <paramref name="users"/>.</summary>
    /// <param name="users">At most <see cref="MostPresences"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<UserPresence>> PresenceAsync(
        IEnumerable<string> users, CancellationToken cancellationToken = default)
    {
        string[] all = [.. users.Select(ApiBodies.User)];
        if (all.Length > MostPresences)
        {
            throw new ArgumentException($"At most {MostPresences} users at once.", nameof(users));
        }

        var body = ApiBodies.Of(new WirePresenceQuery(all), ApiJson.Default.WirePresenceQuery);
        var answer = await _caller
            .CallAsync(ApiCall.Post("/api/presence", body), ApiJson.Default.WirePresences, cancellationToken).ConfigureAwait(false);
        return [.. (answer.Items ?? []).Select(ApiAnswers.ToPresence)];
    }

    /// <summary>All of the user's conversations, that with the last message first. Pages are asked for as they are needed.</summary>
    public IAsyncEnumerable<ConversationOverview> AllConversationsAsync(CancellationToken cancellationToken = default) =>
        Pages.AllAsync((after, token) => ConversationsAsync(after, ApiPath.LargestPage, token), cancellationToken);

    /// <summary>A page of the user's conversations, that with the last message first, with heads, read cursors and unread counts.</summary>
    /// <param name="after">The <see cref="ChatPage{T}.Next"/> of the page before; null: the first page.</param>
    /// <param name="limit">1–200; null: 200.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ChatPage<ConversationOverview>> ConversationsAsync(
        string? after = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        var path = ApiPath.With("/api/conversations", ("after", after), ("limit", ApiPath.Limit(limit)));
        var page = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireOverviewPage, cancellationToken).ConfigureAwait(false);
        return new ChatPage<ConversationOverview>([.. (page.Items ?? []).Select(ToOverview)], page.Next)
        {
            Profiles = ApiAnswers.ToProfiles(page.Profiles),
        };
    }

    private static ConversationOverview ToOverview(WireOverview item)
    {
        var conversation = item.Room is not null ? Conversation.Room(item.Room) : Conversation.With(item.To ?? "");
        var last = item.Last is { } e ? ServerFrameReader.ToEvent(Checked(e), conversation, null) : null;
        return new ConversationOverview(conversation, item.Head, item.Read, item.Unread, last) { Mentions = item.Mentions ?? 0 };
    }

    /// <summary>
    /// The conversation of an event, as the user sees it. A direct message names its sender and its addressee, and not which of them asked;
    /// but each of the user's own events has a nonce, and no other has.
    /// </summary>
    private static Conversation PlaceOf(WireFrame e) => e.Room is not null
        ? Conversation.Room(e.Room)
        : Conversation.With((e.Nonce is not null ? e.To : e.From)!);

    private static WireFrame Checked(WireFrame item) =>
        (ServerFrameReader.IsEvent(item) ? ServerFrameReader.Problem(item) : $"'{item.Type}' is no event") is { } problem
            ? throw new ChatException(ChatErrorCodes.BadAnswer, problem)
            : item;
}
