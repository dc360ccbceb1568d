using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Sessions;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>
/// A chat session that outlives its connections: rooms stay joined, each conversation's events come in order and once, and a send is
/// repeated until it is acknowledged. Thread-safe, except that <see cref="Events"/> has one reader at a time. docs/client.md has the exact
/// promises.
/// </summary>
public sealed partial class ChatClient : IAsyncDisposable
{
    private readonly ChatClientOptions _options;
    private readonly TokenSource _tokens;
    private readonly HistoryApi _history;
    private readonly Session _session;
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;
    private bool _disposed;

    /// <summary>Creates a client that does nothing until <see cref="ConnectAsync"/>.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    public ChatClient(ChatClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _tokens = new TokenSource(options);
        _history = new HistoryApi(options, _tokens);
        _session = new Session(options, _history);
    }

    /// <summary>The state now; changes come as <see cref="ConnectionChanged"/>.</summary>
    public ConnectionState State
    {
        get
        {
            lock (_session.Gate)
            {
                return _session.State;
            }
        }
    }

    /// <summary>The user that the token names; null before the first connection.</summary>
    public string? User
    {
        get
        {
            lock (_session.Gate)
            {
                return _session.User;
            }
        }
    }

    /// <summary>Sends that wait for their acknowledgement.</summary>
    public int Unacknowledged
    {
        get
        {
            lock (_session.Gate)
            {
                return _session.Outbox.Count;
            }
        }
    }

    /// <summary>Connects and stays connected. Later calls wait for the same connection. Cancelling ends the wait, not the client.</summary>
    /// <exception cref="ChatException"><see cref="ChatFaults.Closed"/>: there will be no connection.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        lock (_session.Gate)
        {
            ThrowIfEnded();
            _running ??= Task.Run(RunAsync, CancellationToken.None);
        }
        return _session.Connected.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Everything that happens, in order. For each conversation it gives the events of its log, and <see cref="Reloaded"/> or
    /// <see cref="Gap"/> where events can't be had. It also gives presence, typing, receipts and the state of the connection. It ends with
    /// <see cref="ConnectionState.Closed"/>. Each item is given once, so a reader that stops and comes back continues where it was.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another reader is reading.</exception>
    public IAsyncEnumerable<ChatItem> Events(CancellationToken cancellationToken = default) => _session.Items.ReadAsync(cancellationToken);

    /// <summary>
    /// Joins a room now and on every later connection, until it is left. The first join of any user creates the room. Cancelling ends the
    /// wait, but the client still joins the room.
    /// </summary>
    /// <param name="since">The place that the application reached in an earlier session. The events behind it follow. Without it, events
    /// begin after the head. It has no effect on a room that the client follows already.</param>
    /// <exception cref="ArgumentException">The room is not an identifier.</exception>
    /// <exception cref="ChatException">The server refused, e.g. <see cref="ErrorCodes.Limit"/>; or the client has ended.</exception>
    public async Task<RoomJoined> JoinAsync(string room, Cursor? since = null, CancellationToken cancellationToken = default)
    {
        var conversation = Conversation.Room(room);
        Task<RoomJoined> joining;
        lock (_session.Gate)
        {
            ThrowIfEnded();
            var tracked = _session.Track(conversation, since);
            if (tracked.Seat.Leaving is not null)
            {
                throw new InvalidOperationException($"{conversation} is being left.");
            }

            if (tracked.Seat is { IsJoined: true, Snapshot: { } snapshot })
            {
                return snapshot;
            }

            joining = tracked.Seat.WantAsync();
            if (_session.IsConnected && tracked.Seat.AskAgainAt is null)
            {
                tracked.SendJoin();
            }
        }
        return await joining.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Ends the user's membership in a room, on all devices. Sends that wait there fail. Cancelling ends only the wait.
    /// </summary>
    /// <exception cref="ChatException">The server refused, or the client has ended.</exception>
    public async Task LeaveAsync(string room, CancellationToken cancellationToken = default)
    {
        var conversation = Conversation.Room(room);
        Task leaving;
        lock (_session.Gate)
        {
            ThrowIfEnded();
            var tracked = _session.Track(conversation);
            tracked.Seat.IsWanted = false;
            _session.Outbox.Fail(conversation, new ChatException(ErrorCodes.NotJoined, $"{conversation} was left."));
            if (tracked.Seat.Leaving is null)
            {
                tracked.Seat.Leaving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_session.IsConnected)
                {
                    _session.SendLeave(tracked);
                }
            }
            leaving = tracked.Seat.Leaving.Task;
        }
        await leaving.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Continues a direct conversation at the place that the application reached in an earlier session. The events behind it follow.
    /// Without this call a direct conversation begins with the session. It has no effect on a conversation that has begun.
    /// </summary>
    public void Follow(string user, Cursor since)
    {
        var conversation = Conversation.With(user);
        lock (_session.Gate)
        {
            ThrowIfEnded();
            if (_session.Find(conversation) is null)
            {
                _session.Track(conversation, since).AskForReplay();
            }
        }
    }

    /// <summary>
    /// Completes once the database has the event. The server reports it once, on the connection. If that connection is lost, the report
    /// comes with the conversation's next event, so pass a token that ends the wait.
    /// </summary>
    /// <exception cref="ChatException">The log was rebuilt (<see cref="ChatFaults.EpochChanged"/>), the room was left, or the client has
    /// ended.</exception>
    public Task WhenDurableAsync(Accepted accepted, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        lock (_session.Gate)
        {
            ThrowIfEnded();
            var conversation = accepted.Conversation.Named(nameof(accepted));
            if (conversation.IsRoom && _session.Find(conversation) is null)
            {
                throw NotJoined(conversation);
            }

            return _session.Track(conversation).Log.DurableAsync(accepted).WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Moves the user's read cursor forward. The cursor is kept until a connection carries it, and sent at most once a second.
    /// </summary>
    public void MarkRead(Conversation conversation, long seq)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seq);
        lock (_session.Gate)
        {
            ThrowIfEnded();
            if (conversation.Named(nameof(conversation)).IsRoom && _session.Find(conversation) is null)
            {
                throw NotJoined(conversation);
            }

            _session.Track(conversation).Reads.Move(seq);
        }
    }

    /// <summary>A page of history, newest first, or oldest first with <paramref name="after"/>. It needs no connection.</summary>
    /// <param name="before">A seq, or the <see cref="HistoryPage.Next"/> of a page that was asked for with <c>before</c>. Give this or
    /// <paramref name="after"/>, not both.</param>
    /// <param name="limit">1–200.</param>
    /// <exception cref="ChatException">There is no page now: <see cref="ChatFaults.History"/>, with the status.</exception>
    public Task<HistoryPage> HistoryAsync(
        Conversation conversation, string? before = null, string? after = null, int limit = 50,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, HistoryApi.LargestPage);
        if (before is not null && after is not null)
        {
            throw new ArgumentException("Give before or after, not both.", nameof(after));
        }

        return new HistoryReader(_history)
            .PageAsync(conversation.Named(nameof(conversation)), before, after, limit, cancellationToken);
    }

    /// <summary>The user's conversations, with heads, read cursors and unread counts. It needs no connection.</summary>
    /// <exception cref="ChatException">There is no answer now: <see cref="ChatFaults.History"/>, with the status.</exception>
    public Task<IReadOnlyList<ConversationOverview>> ConversationsAsync(CancellationToken cancellationToken = default) =>
        new HistoryReader(_history).ConversationsAsync(cancellationToken);

    /// <summary>
    /// Closes the connection and ends every waiting call with <see cref="ChatFaults.Closed"/>. Sends that are not acknowledged may or may
    /// not have arrived.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        lock (_session.Gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_running is not null)
        {
            await _running.ConfigureAwait(false);
        }

        End(null, "disposed");
        _stop.Dispose();
        _session.Dispose();
        _history.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            var end = await new ConnectionLoop(_session, _options, _tokens).RunAsync(_stop.Token).ConfigureAwait(false);
            End(end?.Code, end?.Reason ?? "disposed");
        }
        catch (Exception e)
        {
            // The loop's outermost frame: after any exception the application must learn that the client has ended.
            End(null, e.ToString());
        }
    }

    private void End(int? code, string reason) => _session.End(
        new ChatException(ChatFaults.Closed, "The client has ended: " + reason),
        new ConnectionChanged(ConnectionState.Closed, null, code, reason, null));

    private void ThrowIfEnded()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_session.Ended is { } reason)
        {
            throw new ChatException(reason.Code, reason.Message);
        }
    }

    private static ChatException NotJoined(Conversation room) => new(ErrorCodes.NotJoined, $"Join {room} first.");
}
