using AspireChat.Client.Connecting;
using AspireChat.Client.Delivery;
using AspireChat.Client.History;
using AspireChat.Client.Profiles;
using AspireChat.Client.Reading;
using AspireChat.Client.Sending;
using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;
using Microsoft.Extensions.Logging;

namespace AspireChat.Client.Sessions;

/// <summary>
/// What outlives each connection: the conversations, the outbox and the items for the application. <see cref="Gate"/> guards all of it.
/// Nothing is awaited inside the gate, and no code of the application runs there. A socket's frames are handled on its reader's thread, so
/// a slow session reads slowly and TCP slows the server down.
/// </summary>
internal sealed class Session : IDeliveryHost, IDisposable
{
    /// <summary>
    /// Most conversations in one <c>resume</c> frame, which keeps it under the server's frame limit.
    /// </summary>
    private const int ResumeAtOnce = 100;

    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Conversation, TrackedConversation> _conversations = [];
    private readonly Dictionary<string, List<TrackedConversation>> _references = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly ILogger _log;
    private readonly long _origin;
    private readonly ITimer _timer;
    private readonly GapRepair _repair;
    private readonly DirectConversations _directs;
    private TimeSpan _timerDue = TimeSpan.MaxValue;
    private Connection? _connection;
    private long _lastReference;

    public Session(ChatClientOptions options, HistoryApi history, KnownProfiles profiles)
    {
        (Options, Profiles, _log) = (options, profiles, options.CreateLogger());
        _origin = options.TimeProvider.GetTimestamp();
        _timer = options.TimeProvider.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Readers = new Readers(this, history, _ending.Token);
        Pending = new PendingMessages(options.SendQueueLimit, Readers.PendingChanged);
        Outbox = new Outbox(options, this, Pending);
        _repair = new GapRepair(this, history);
        _directs = new DirectConversations(this, history);
    }

    public Gate Gate { get; } = new();

    public ChatClientOptions Options { get; }

    public Readers Readers { get; }

    public KnownProfiles Profiles { get; }

    /// <summary>A loop keeps it connected. The client's own lock guards it.</summary>
    public bool IsStarted { get; set; }

    public Outbox Outbox { get; }

    public PendingMessages Pending { get; }

    /// <summary>Known from the first <c>welcome</c> on. It never changes.</summary>
    public string? User { get; private set; }

    public ChatConnectionState State { get; private set; }

    public bool IsConnected => _connection is not null;

    /// <summary>Why the session ended, once it has.</summary>
    public ChatException? Ended { get; private set; }

    /// <summary>Completes with the first connection, or fails with the session's end.</summary>
    public TaskCompletionSource Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TimeSpan Now => Options.TimeProvider.GetElapsedTime(_origin);

    public bool IsReady(Conversation conversation) =>
        _conversations.TryGetValue(conversation, out var tracked) ? tracked.IsReady : IsConnected && !conversation.IsRoom;

    public bool IsGiven(Conversation conversation, long seq) => Find(conversation)?.Log.Last >= seq;

    public bool Send(byte[] frame) => _connection?.Write(frame, droppable: false) ?? false;

    public bool SendDroppable(byte[] frame) => _connection?.Write(frame, droppable: true) ?? false;

    /// <inheritdoc/>
    public string NewReference(List<TrackedConversation> conversations)
    {
        var reference = $"r-{++_lastReference}";
        _references.Add(reference, conversations);
        return reference;
    }

    public TrackedConversation? Find(Conversation conversation) => _conversations.GetValueOrDefault(conversation);

    /// <inheritdoc/>
    public TrackedConversation Track(Conversation conversation, ConversationCursor? cursor = null)
    {
        if (_conversations.TryGetValue(conversation, out var tracked))
        {
            return tracked;
        }

        _conversations.Add(conversation, tracked = new TrackedConversation(conversation, this));
        if (cursor is null && !conversation.IsRoom)
        {
            cursor = _directs.BeginningOf(conversation.User);
        }

        if (cursor is { } place)
        {
            tracked.Log.StartAt(place);
        }

        return tracked;
    }

    public void Remove(TrackedConversation conversation, ChatException reason)
    {
        if (_conversations.Remove(conversation.Name))
        {
            conversation.Drop(reason);
        }
    }

    public Task BeforeConnectAsync(CancellationToken cancellationToken) => _directs.BeforeConnectAsync(cancellationToken);

    public void OnWelcome(Connection connection, WireFrame welcome)
    {
        lock (Gate)
        {
            if (Ended is not null)
            {
                return;
            }

            _connection = connection;
            User ??= welcome.User;
            _references.Clear();
            ClientLog.Connected(_log, welcome.Node, User);
            ReportInside(new ChatConnectionChanged(ChatConnectionState.Connected, welcome.Node, null, null, null));
            foreach (var conversation in _conversations.Values.Where(c => c.Seat.Leaving is not null).ToList())
            {
                SendLeave(conversation);
            }

            var places = _conversations.Values.Where(c => c is { Seat.IsWanted: true, Log.Cursor: not null }).ToList();
            foreach (var part in places.Chunk(ResumeAtOnce))
            {
                SendResume(part);
            }

            foreach (var conversation in _conversations.Values.Where(
                c => c is { Seat.IsWanted: true, Log.Cursor: null, Name.IsRoom: true }))
            {
                conversation.SendJoin();
            }

            foreach (var conversation in _conversations.Values)
            {
                conversation.Reads.Send();
            }

            Outbox.PumpAll();
            _directs.OnWelcome(_ending.Token);
            WakeAt(Now + TickEvery);
            Connected.TrySetResult();
        }
    }

    public void OnDown(Connection connection)
    {
        lock (Gate)
        {
            if (_connection != connection)
            {
                return;
            }

            _connection = null;
            Outbox.Down();
            foreach (var conversation in _conversations.Values)
            {
                conversation.OnDown();
            }
        }
    }

    public void OnFrame(WireFrame frame)
    {
        lock (Gate)
        {
            if (Ended is null)
            {
                FrameDispatch.Handle(frame, this);
            }
        }
    }

    /// <summary>The conversations that the refused frame with this <c>ref</c> was about; null when no such frame waits.</summary>
    public IReadOnlyList<TrackedConversation>? TakeReference(string? reference) =>
        reference is not null && _references.Remove(reference, out var conversations) ? conversations : null;

    /// <summary>The frame with this <c>ref</c> was answered for this conversation.</summary>
    public void Answered(string? reference, TrackedConversation conversation)
    {
        if (reference is null || !_references.TryGetValue(reference, out var conversations))
        {
            return;
        }

        conversations.Remove(conversation);
        if (conversations.Count == 0)
        {
            _references.Remove(reference);
        }
    }

    /// <summary>Ends the user's membership. Completes with the server's answer.</summary>
    public Task Leave(TrackedConversation conversation)
    {
        Outbox.Fail(conversation.Name, new ChatException(ErrorCodes.NotJoined, $"{conversation.Name} was left."));
        if (conversation.Seat.Leaving is null && conversation.Seat.Leave() is { } && IsConnected)
        {
            SendLeave(conversation);
        }

        return conversation.Seat.Leaving!.Task;
    }

    public void SendLeave(TrackedConversation conversation)
    {
        conversation.Seat.AskAgainAt = Now + Options.AckTimeout;
        Send(ClientFrames.Leave(conversation.Name.RoomId!, NewReference([conversation])));
    }

    public void StartRepair(TrackedConversation conversation)
    {
        if (conversation.IsRepairing || Ended is not null)
        {
            return;
        }

        conversation.IsRepairing = true;
        _ = Task.Run(() => _repair.RunAsync(conversation, _ending.Token), CancellationToken.None);
    }

    public void Report(ChatConnectionChanged change)
    {
        lock (Gate)
        {
            ReportInside(change);
        }
    }

    /// <summary>Tells the application of a fault that the client works around. Thread-safe.</summary>
    public void Fault(string code, string message, Conversation? conversation = null)
    {
        lock (Gate)
        {
            ClientLog.Fault(_log, code, conversation, message, ClientLog.NextAfter(code));
            Offer(new ChatFault(code, message, conversation));
        }
    }

    /// <inheritdoc/>
    public void Offer(ChatItem item) => Readers.Offer(item);

    /// <inheritdoc/>
    public void Give(ConversationItem item)
    {
        switch (item)
        {
            case ConversationReset reset:
                ClientLog.Reset(_log, item.Conversation, reset.Epoch, reset.Head);
                break;
            case HistoryGap gap:
                ClientLog.Gap(_log, gap.From, gap.To, item.Conversation);
                break;
            case RoomLeft { Reason: { } reason }:
                ClientLog.Left(_log, item.Conversation, reason);
                break;
        }

        Readers.Give(item);
        Pending.OnItem(item);
    }

    public void WakeAt(TimeSpan time)
    {
        if (time >= _timerDue || Ended is not null)
        {
            return;
        }

        _timerDue = time;
        // Timers count whole milliseconds. One that fired early would find nothing due, and the next tick would be a second away.
        var wait = Math.Ceiling((time - Now).TotalMilliseconds) + 1;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(wait, 0)), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends the session for good.</summary>
    public void End(ChatException reason, ChatConnectionChanged last)
    {
        lock (Gate)
        {
            if (Ended is not null)
            {
                return;
            }

            Ended = reason;
            State = ChatConnectionState.Closed;
            _connection = null;
            Outbox.Fail(null, reason);
            foreach (var conversation in _conversations.Values)
            {
                conversation.Drop(reason);
                conversation.Seat.Leaving?.TrySetException(reason);
                _ = conversation.Seat.Leaving?.Task.Exception;
            }
            Connected.TrySetException(reason);
            // The failure counts as observed even when no caller waits for the first connection.
            _ = Connected.Task.Exception;
            Readers.Complete(last);
        }
        _ending.Cancel();
        _timer.Dispose();
    }

    public void Dispose()
    {
        _timer.Dispose();
        _ending.Dispose();
    }

    private void SendResume(TrackedConversation[] conversations)
    {
        var frame = ClientFrames.Resume(conversations.Select(c => (c.Name, c.Log.Cursor!.Value)), NewReference([.. conversations]));
        var sent = Send(frame);
        foreach (var conversation in conversations)
        {
            if (sent)
            {
                conversation.OnReplayAsked();
            }

            if (conversation.Name.IsRoom)
            {
                conversation.Seat.AskAgainAt = Now + Options.AckTimeout;
            }
        }
    }

    private void ReportInside(ChatConnectionChanged change)
    {
        if (Ended is not null)
        {
            return;
        }

        State = change.State;
        Readers.Give(change);
    }

    private void Tick()
    {
        lock (Gate)
        {
            if (Ended is not null)
            {
                return;
            }

            _timerDue = TimeSpan.MaxValue;
            foreach (var conversation in _conversations.Values.ToList())
            {
                conversation.Tick();
            }

            Outbox.Tick();
            if (IsConnected || Outbox.Count > 0)
            {
                WakeAt(Now + TickEvery);
            }
        }
    }
}
