using System.Runtime.CompilerServices;
using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Profiles;
using AspireChat.Client.Reading;
using AspireChat.Client.Sessions;
using AspireChat.Client.Views;
using AspireChat.Contracts.Frames;
using Microsoft.Extensions.Logging;

namespace AspireChat.Client;

/// <inheritdoc cref="IChatClient"/>
public sealed partial class ChatClient : IChatClient
{
    private readonly ChatClientOptions _options;
    private readonly TokenSource _tokens;
    private readonly KnownProfiles _profiles = new();
    private readonly HistoryApi _history;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Gate _lifetime = new();
    private volatile Session _session;
    private string? _tokenOfApi;
    private Task _running = Task.CompletedTask;
    private volatile bool _disposed;

    /// <summary>Creates a client that does nothing until <see cref="ConnectAsync"/> or its first use. It takes a copy of the
    /// options.</summary>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.BadOption"/>: an option is missing or out of range.</exception>
    public ChatClient(ChatClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems().FirstOrDefault() is { Option: not null } bad)
        {
            throw new ChatException(ChatErrorCodes.BadOption, bad.Problem) { Option = bad.Option };
        }

        _options = options with { };
        _log = _options.CreateLogger();
        _tokens = new TokenSource(_options);
        _history = new HistoryApi(_options, _tokens, _profiles);
        _session = new Session(_options, _history, _profiles);
        Api = new ChatApi(
            _history.Http,
            new ChatApiOptions
            {
                Gateway = _options.Gateway,
                TokenProvider = TokenOfApiAsync,
                AttemptTimeout = _options.ConnectTimeout,
                Deadline = 3 * _options.ConnectTimeout,
                TimeProvider = _options.TimeProvider,
            });
    }

    /// <inheritdoc/>
    public ChatConnectionState State
    {
        get
        {
            var session = _session;
            lock (session.Gate)
            {
                return session.State;
            }
        }
    }

    /// <inheritdoc/>
    public string? User
    {
        get
        {
            var session = _session;
            lock (session.Gate)
            {
                return session.User;
            }
        }
    }

    /// <inheritdoc/>
    public int Unacknowledged
    {
        get
        {
            var session = _session;
            lock (session.Gate)
            {
                return session.Outbox.Count;
            }
        }
    }

    /// <inheritdoc/>
    public Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        Session session;
        lock (_lifetime)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_session.Ended is not null)
            {
                _session.Dispose();
                _session = new Session(_options, _history, _profiles);
            }

            session = _session;
        }

        Start(session);
        return session.Connected.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatItem> Events(CancellationToken cancellationToken = default)
    {
        var session = _session;
        return ReadAsync<ChatItem>(session, Open(session, null), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ConversationItem> Events(Conversation conversation, CancellationToken cancellationToken = default)
    {
        var session = _session;
        return ReadAsync<ConversationItem>(session, Open(session, conversation.Named(nameof(conversation))), cancellationToken);
    }

    /// <inheritdoc/>
    public IConversationView View(Conversation conversation) =>
        ConversationView.Open(
            conversation.Named(nameof(conversation)), Live(), _history, _log,
            (failed, cancellationToken) => SendAgainAsync(conversation, failed, cancellationToken));

    /// <inheritdoc/>
    public async Task<RoomJoined> JoinAsync(string room, ConversationCursor? since = null, CancellationToken cancellationToken = default)
    {
        var conversation = Conversation.Room(room);
        var session = Live();
        while (true)
        {
            Task<RoomJoined>? joining = null;
            Task? leaving = null;
            lock (session.Gate)
            {
                ThrowIfEnded(session);
                var tracked = session.Track(conversation, since);
                if (tracked.Seat is { Leaving: null, IsJoined: true, Snapshot: { } snapshot })
                {
                    return snapshot;
                }

                leaving = tracked.Seat.Leaving?.Task;
                if (leaving is null)
                {
                    joining = tracked.Seat.WantAsync();
                    if (session.IsConnected && tracked.Seat.AskAgainAt is null)
                    {
                        tracked.SendJoin();
                    }
                }
            }

            if (joining is not null)
            {
                return await joining.WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            // The later call counts, whatever the answer to the earlier one.
            await leaving!.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <inheritdoc/>
    public async Task LeaveAsync(string room, CancellationToken cancellationToken = default)
    {
        var conversation = Conversation.Room(room);
        var session = Live();
        Task leaving;
        lock (session.Gate)
        {
            ThrowIfEnded(session);
            leaving = session.Leave(session.Track(conversation));
        }

        await leaving.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Follow(string user, ConversationCursor since)
    {
        var conversation = Conversation.With(user);
        var session = Live();
        lock (session.Gate)
        {
            ThrowIfEnded(session);
            if (session.Find(conversation) is not { Log.Last: not null })
            {
                var tracked = session.Track(conversation, since);
                tracked.Log.StartAt(since);
                tracked.AskForReplay();
            }
        }
    }

    /// <inheritdoc/>
    public Task WhenDurableAsync(SendReceipt receipt, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        var session = Live();
        lock (session.Gate)
        {
            ThrowIfEnded(session);
            var conversation = receipt.Conversation.Named(nameof(receipt));
            if (conversation.IsRoom && session.Find(conversation) is null)
            {
                throw NotJoined(conversation);
            }

            return session.Track(conversation).Log.DurableAsync(receipt).WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void MarkRead(Conversation conversation, long seq)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seq);
        var session = Live();
        lock (session.Gate)
        {
            ThrowIfEnded(session);
            if (conversation.Named(nameof(conversation)).IsRoom && session.Find(conversation) is null)
            {
                throw NotJoined(conversation);
            }

            session.Track(conversation).Reads.Move(seq);
            session.Readers.MarkedRead(conversation, seq);
        }
    }

    /// <inheritdoc/>
    public Task<HistoryPage> HistoryAsync(
        Conversation conversation, string? before = null, string? after = null, int limit = 50,
        CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, HistoryApi.LargestPage);
        if (before is not null && after is not null)
        {
            throw new ArgumentException("Give before or after, not both.", nameof(after));
        }

        return new HistoryReader(_history)
            .PageAsync(conversation.Named(nameof(conversation)), before, after, limit, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ConversationOverview>> ConversationsAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new HistoryReader(_history).ConversationsAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ChatApi Api { get; }

    /// <inheritdoc/>
    public ChatProfile? ProfileOf(string user) => _profiles.Find(user);

    /// <summary>
    /// Closes the connection and ends every waiting call with <see cref="ChatErrorCodes.Closed"/>. Sends that are not acknowledged may or
    /// may not have arrived.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task running;
        lock (_lifetime)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            running = _running;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        End(_session, new ChatException(ChatErrorCodes.Closed, "The client was disposed."), null);
        _stop.Dispose();
        _session.Dispose();
        _history.Dispose();
        _tokens.Dispose();
    }

    private async IAsyncEnumerable<T> ReadAsync<T>(
        Session session, ItemReader reader, [EnumeratorCancellation] CancellationToken cancellationToken) where T : ChatItem
    {
        if (!_disposed)
        {
            Start(session);
        }

        try
        {
            await foreach (var item in reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return (T)item;
            }
        }
        finally
        {
            lock (session.Gate)
            {
                session.Readers.Close(reader);
            }
        }
    }

    private static ItemReader Open(Session session, Conversation? scope)
    {
        lock (session.Gate)
        {
            return session.Readers.Open(scope);
        }
    }

    /// <summary>The session, which connects from now on.</summary>
    private Session Live()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var session = _session;
        Start(session);
        return session;
    }

    private void Start(Session session)
    {
        lock (_lifetime)
        {
            if (!_disposed && !session.IsStarted && session.Ended is null)
            {
                session.IsStarted = true;
                _running = Task.Run(() => RunAsync(session), CancellationToken.None);
            }
        }
    }

    private async Task RunAsync(Session session)
    {
        try
        {
            if (await new ConnectionLoop(session, _options, _tokens, _history, _log).RunAsync(_stop.Token).ConfigureAwait(false) is { } end)
            {
                var reason = new ChatException(end.Fault, "There will be no connection: " + end.Reason)
                {
                    Status = end.HttpStatus,
                    CloseCode = end.Code,
                };
                ClientLog.Ended(_log, reason.Code, end.Reason);
                End(session, reason, end);
            }
        }
        catch (Exception e)
        {
            // The loop's outermost frame: after any exception the application must learn that the session has ended.
            ClientLog.Failed(_log, e);
            End(session, new ChatException(ChatErrorCodes.Closed, "The client failed: " + e.Message, e), null);
        }
    }

    private static void End(Session session, ChatException reason, ConnectionEnd? end) => session.End(
        reason, new ChatConnectionChanged(ChatConnectionState.Closed, null, end?.Code, end?.Reason ?? reason.Message, null));

    private void ThrowIfEnded(Session session)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (session.Ended is { } reason)
        {
            throw reason.Again();
        }
    }

    // The API asks for its first token, and again when the server has refused the one that it got.
    private async ValueTask<string> TokenOfApiAsync(CancellationToken cancellationToken) =>
        _tokenOfApi = _tokenOfApi is { } refused
            ? await _tokens.RenewAsync(refused, cancellationToken).ConfigureAwait(false)
            : await _tokens.CurrentAsync(cancellationToken).ConfigureAwait(false);

    private static ChatException NotJoined(Conversation room) => new(ErrorCodes.NotJoined, $"Join {room} first.");
}
