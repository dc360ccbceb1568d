using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Sessions;
using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>
/// A chat session that lives through any number of connections: rooms stay joined, each conversation's events come in order and once, and
/// what is sent is sent until it is acknowledged. Thread-safe, except that <see cref="Events"/> has one reader at a time. docs/client.md
/// says what exactly is promised.
/// </summary>
public sealed class ChatClient : IAsyncDisposable
{
    /// <summary>A typing that goes on is told anew this often; the server ends it 3 s after the last sign.</summary>
    private static readonly TimeSpan TypingEvery = TimeSpan.FromSeconds(2);

    private readonly ChatClientOptions _options;
    private readonly TokenSource _tokens;
    private readonly HistoryApi _history;
    private readonly Session _session;
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;
    private bool _disposed;

    /// <summary>Does nothing yet: <see cref="ConnectAsync"/> starts it.</summary>
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

    /// <summary>Connects and stays connected. Calls after the first wait for the same. Cancelling ends the wait, not the client.</summary>
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
    /// Everything that happens, in order: per conversation the events of its log, and <see cref="Reloaded"/> or <see cref="Gap"/> where
    /// there
    /// are none to be had; beside them presence, typing, receipts and the connection. Ends with <see cref="ConnectionState.Closed"/>.
    /// What is
    /// read is gone; a reader that stops and comes again goes on where it was.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is being read elsewhere.</exception>
    public IAsyncEnumerable<ChatItem> Events(CancellationToken cancellationToken = default) => _session.Items.ReadAsync(cancellationToken);

    /// <summary>
    /// Joins a room (creating it on the first join of anybody), now and on every later connection until it is left. Cancelling ends the
    /// wait;
    /// the room stays wanted.
    /// </summary>
    /// <param name="since">Where the application stands from an earlier session: missed events follow. Else events begin after the
    /// head. No effect on a room that the client follows already.</param>
    /// <exception cref="ArgumentException">The room is no identifier.</exception>
    /// <exception cref="ChatException">Refused, e.g. <see cref="ErrorCodes.Limit"/>; or the client has ended.</exception>
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
    /// Ends the user's membership in a room, on all devices. What waits to be sent there fails. Cancelling ends the wait only.
    /// </summary>
    /// <exception cref="ChatException">Refused, or the client has ended.</exception>
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
    /// Goes on in a direct conversation from where the application stands from an earlier session: what was missed follows. Without it a
    /// direct conversation begins with the session. No effect on one that has begun.
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
    /// Sends a message and completes once it is in the log. Until then it is kept and repeated with its nonce over any number of
    /// connections:
    /// it gets there once. Of one conversation, sends go in the order of the calls.
    /// </summary>
    /// <param name="nonce">1–64 characters, unique in the conversation; made up unless given. A known one makes a send safe to repeat
    /// after a restart, within 24 h.</param>
    /// <param name="cancellationToken">Takes the message back. One that is under way already may still arrive.</param>
    /// <exception cref="ArgumentException">Empty, too long, with a NUL or a lone surrogate; or a nonce that waits already.</exception>
    /// <exception cref="ChatException">Refused for good (<see cref="ErrorCodes"/>), or given up (<see cref="ChatFaults"/>).</exception>
    public Task<Accepted> SendAsync(
        Conversation conversation, string content, string? nonce = null, CancellationToken cancellationToken = default)
    {
        ClientFrames.CheckText(content, _options.MaxContentLength, nameof(content));
        return EnqueueAsync(conversation, nonce, n => ClientFrames.Message(conversation, content, n), cancellationToken);
    }

    /// <summary>Gives an own message a new text. Otherwise as <see cref="SendAsync"/>.</summary>
    /// <param name="target">The message's seq.</param>
    public Task<Accepted> EditAsync(
        Conversation conversation, long target, string content, string? nonce = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        ClientFrames.CheckText(content, _options.MaxContentLength, nameof(content));
        return EnqueueAsync(conversation, nonce, n => ClientFrames.Edit(conversation, target, content, n), cancellationToken);
    }

    /// <summary>Deletes an own message. Otherwise as <see cref="SendAsync"/>.</summary>
    public Task<Accepted> DeleteAsync(
        Conversation conversation, long target, string? nonce = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        return EnqueueAsync(conversation, nonce, n => ClientFrames.Delete(conversation, target, n), cancellationToken);
    }

    /// <summary>Reacts to a message, or takes that back. Otherwise as <see cref="SendAsync"/>.</summary>
    public Task<Accepted> ReactAsync(
        Conversation conversation, long target, string emoji, bool remove = false, string? nonce = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        ClientFrames.CheckText(emoji, new FrameLimits().ShortText, nameof(emoji));
        return EnqueueAsync(conversation, nonce, n => ClientFrames.React(conversation, target, emoji, remove, n), cancellationToken);
    }

    /// <summary>
    /// Completes once the database has the event. The server reports it while the connection lives; a report that was lost with one comes
    /// with the next event of the conversation, so give a token that ends the wait.
    /// </summary>
    /// <exception cref="ChatException"><see cref="ChatFaults.EpochChanged"/>; the room was left; or the client has ended.</exception>
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

            return _session.Track(conversation).DurableAsync(accepted).WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Tells that the user types, or stopped. Call it with every key: it is told at most every 2 s. Lost without a connection.
    /// </summary>
    public void Typing(Conversation conversation, bool active = true)
    {
        lock (_session.Gate)
        {
            var tracked = _session.Find(conversation.Named(nameof(conversation)));
            if (tracked is { IsReady: false } || (tracked is null && (conversation.IsRoom || !_session.IsConnected)))
            {
                return;
            }

            tracked ??= _session.Track(conversation);
            if (active && tracked.TypingToldAt is { } told && _session.Now - told < TypingEvery)
            {
                return;
            }

            if (_session.SendDroppable(ClientFrames.Typing(conversation, active)))
            {
                tracked.TypingToldAt = active ? _session.Now : null;
            }
        }
    }

    /// <summary>Moves the user's read cursor forward. Kept until a connection carries it, told at most once a second.</summary>
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

    /// <summary>A page of history, newest first, or oldest first with <paramref name="after"/>. Needs no connection.</summary>
    /// <param name="before">A seq, or the <see cref="HistoryPage.Next"/> of a page that was asked for so. At most one of this and
    /// <paramref name="after"/>.</param>
    /// <param name="limit">1–200.</param>
    /// <exception cref="ChatException">History can't be had now: <see cref="ChatFaults.History"/>, with the status.</exception>
    public async Task<HistoryPage> HistoryAsync(
        Conversation conversation, string? before = null, string? after = null, int limit = 50,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, HistoryApi.LargestPage);
        if (before is not null && after is not null)
        {
            throw new ArgumentException("Give one of before and after.", nameof(after));
        }

        var answer = await _history.PageAsync(conversation.Named(nameof(conversation)), before, after, limit, cancellationToken)
            .ConfigureAwait(false);
        var page = Required(answer);
        var items = page.Items ?? [];
        if (items.FirstOrDefault(item => !ServerFrameReader.IsEvent(item) || ServerFrameReader.Problem(item) is not null) is { } bad)
        {
            throw new ChatException(ChatFaults.History, ServerFrameReader.Problem(bad) ?? $"'{bad.Type}' is no event");
        }

        var epoch = page.Epoch ?? "";
        return new HistoryPage(
            [.. items.Select(item => ServerFrameReader.ToEvent(item, conversation, epoch))], epoch, page.Head ?? 0, page.Next);
    }

    /// <summary>The user's conversations, with heads, read cursors and unread counts. Needs no connection.</summary>
    /// <exception cref="ChatException">They can't be had now: <see cref="ChatFaults.History"/>, with the status.</exception>
    public async Task<IReadOnlyList<ConversationOverview>> ConversationsAsync(CancellationToken cancellationToken = default)
    {
        var items = Required(await _history.ConversationsAsync(cancellationToken).ConfigureAwait(false)).Items ?? [];
        return [.. items.Select(item =>
        {
            var conversation = item.Room is not null ? Conversation.Room(item.Room) : Conversation.With(item.To!);
            var last = item.Last is { } e && ServerFrameReader.Problem(e) is null ? ServerFrameReader.ToEvent(e, conversation, null) : null;
            return new ConversationOverview(conversation, item.Head, item.Read, item.Unread, last);
        })];
    }

    /// <summary>
    /// Closes the connection and ends everything that waits with <see cref="ChatFaults.Closed"/>; sends that are not acknowledged may or
    /// may not have arrived.
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
            // The loop's outermost frame: whatever it is, the application must not wait for a client that is dead.
            End(null, e.ToString());
        }
    }

    private void End(int? code, string reason) => _session.End(
        new ChatException(ChatFaults.Closed, "The client has ended: " + reason),
        new ConnectionChanged(ConnectionState.Closed, null, code, reason, null));

    private async Task<Accepted> EnqueueAsync(
        Conversation conversation, string? nonce, Func<string, byte[]> frame, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        nonce = nonce is null ? Guid.NewGuid().ToString("N") : ClientFrames.CheckText(nonce, new FrameLimits().ShortText, nameof(nonce));
        conversation.Named(nameof(conversation));
        var bytes = frame(nonce);
        Sending.Outbox.Entry entry;
        lock (_session.Gate)
        {
            ThrowIfEnded();
            if (conversation.IsRoom && _session.Find(conversation) is not { Seat.IsWanted: true })
            {
                throw NotJoined(conversation);
            }

            _session.Track(conversation);
            entry = _session.Outbox.Add(conversation, nonce, bytes);
        }
        // Unregister, not Dispose: that would wait for a callback that may wait for the gate.
        var registration = cancellationToken.UnsafeRegister((_, token) => Withdraw(entry, token), null);
        try
        {
            return await entry.Completion.Task.ConfigureAwait(false);
        }
        finally
        {
            registration.Unregister();
        }
    }

    private void Withdraw(Sending.Outbox.Entry entry, CancellationToken cancellationToken)
    {
        lock (_session.Gate)
        {
            if (_session.Outbox.Withdraw(entry))
            {
                entry.Completion.TrySetCanceled(cancellationToken);
            }
        }
    }

    private void ThrowIfEnded()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_session.Ended is { } reason)
        {
            throw new ChatException(reason.Code, reason.Message);
        }
    }

    private static ChatException NotJoined(Conversation room) => new(ErrorCodes.NotJoined, $"Join {room} first.");

    private static int? StatusOf(int status) => status == 0 ? null : status;

    private static T Required<T>(HttpAnswer<T> answer) where T : class => answer.Body
        ?? throw new ChatException(ChatFaults.History, answer.Problem ?? "no answer") { Status = StatusOf(answer.Status) };
}
