using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AspireChat.Client.Connecting;
using AspireChat.Client.Delivery;
using AspireChat.Client.History;
using AspireChat.Client.Sessions;
using Microsoft.Extensions.Logging;

namespace AspireChat.Client.Views;

/// <inheritdoc cref="IConversationView"/>
internal sealed class ConversationView : IConversationView, IItemSink
{
    private const int MessagesKept = 10_000;

    /// <summary>A page may have only edits and reactions. This many are searched for a message to show.</summary>
    private const int PagesAtOnce = 10;

    private readonly Session _session;
    private readonly HistoryReader _history;
    private readonly UnreadRecount _recount;
    private readonly Func<PendingMessage, CancellationToken, Task<SendReceipt>> _sendAgain;
    private readonly ILogger _log;
    private readonly ViewState _state;
    private readonly List<Channel<bool>> _watchers = [];
    private readonly CancellationTokenSource _ending = new();
    private ConversationSnapshot? _current;
    private Task<int>? _paging;
    private bool _isRaising;
    private bool _hasChanged;
    private bool _hasEnded;

    private ConversationView(
        Conversation conversation, Session session, HistoryApi history, ILogger log,
        Func<PendingMessage, CancellationToken, Task<SendReceipt>> sendAgain)
    {
        (Conversation, _session, _history, _log) = (conversation, session, new HistoryReader(history), log);
        _sendAgain = sendAgain;
        _state = new ViewState(conversation, session);
        _recount = new UnreadRecount(conversation, session, history, _state.Unread, () => _state.IsUnreadExact, OnChange, _ending.Token);
    }

    /// <inheritdoc/>
    public event EventHandler? Changed;

    /// <inheritdoc/>
    public Conversation Conversation { get; }

    /// <inheritdoc/>
    public ConversationSnapshot Current
    {
        get
        {
            lock (_session.Gate)
            {
                if (_state.EndStaleTyping())
                {
                    _current = null;
                }

                return _current ??= _state.Snapshot();
            }
        }
    }

    /// <param name="sendAgain">Sends what has failed as a new message in its place.</param>
    public static ConversationView Open(
        Conversation conversation, Session session, HistoryApi history, ILogger log,
        Func<PendingMessage, CancellationToken, Task<SendReceipt>> sendAgain)
    {
        var view = new ConversationView(conversation, session, history, log, sendAgain);
        lock (session.Gate)
        {
            if (session.Ended is { } reason)
            {
                throw reason.Again();
            }

            view._state.Begin(session.Track(conversation));
            session.Pending.Show(conversation);
            session.Readers.Add(view);
            view._recount.AskIfInexact();
        }

        return view;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ConversationSnapshot> Snapshots([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var watcher = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        lock (_session.Gate)
        {
            if (_hasEnded)
            {
                yield break;
            }

            _watchers.Add(watcher);
        }

        try
        {
            yield return Current;
            while (await watcher.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                watcher.Reader.TryRead(out _);
                yield return Current;
            }
        }
        finally
        {
            lock (_session.Gate)
            {
                _watchers.Remove(watcher);
            }
        }
    }

    /// <inheritdoc/>
    public Task<int> OlderAsync(int limit = 50, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, HistoryApi.LargestPage);
        Task<int> paging;
        lock (_session.Gate)
        {
            if (_hasEnded)
            {
                return Task.FromException<int>(Ended());
            }

            if (_paging is null or { IsCompleted: true })
            {
                _paging = Task.Run(() => PageBackAsync(limit), CancellationToken.None);
                // Its failure counts as observed even when no caller waits for it any more.
                _ = _paging.ContinueWith(
                    static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            }

            paging = _paging;
        }

        return paging.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<SendReceipt?> RetryAsync(string nonce, CancellationToken cancellationToken = default)
    {
        PendingMessage? failed;
        lock (_session.Gate)
        {
            if (_hasEnded)
            {
                throw Ended();
            }

            failed = _session.Pending.FindFailed(Conversation, nonce);
        }

        return failed is null ? null : await _sendAgain(failed, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public PendingMessage? Discard(string nonce)
    {
        lock (_session.Gate)
        {
            return _session.Pending.Discard(Conversation, nonce);
        }
    }

    /// <inheritdoc/>
    public void Trim(int keep)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        lock (_session.Gate)
        {
            _state.Unread.Trim(_state.Timeline, keep, _session.User);
            OnChange();
        }
    }

    /// <inheritdoc/>
    public void Take(ChatItem item, bool mayDrop)
    {
        if (item is not ConversationItem ours || ours.Conversation != Conversation || !_state.Take(ours))
        {
            return;
        }

        if (_state.Timeline.Messages.Count > MessagesKept * 11 / 10)
        {
            _state.Unread.Trim(_state.Timeline, MessagesKept, _session.User);
        }

        _recount.AskIfInexact();
        OnChange();
    }

    /// <inheritdoc/>
    public void MarkedRead(Conversation conversation, long seq)
    {
        if (conversation == Conversation)
        {
            _state.Unread.Move(seq);
            _recount.AskIfInexact();
            OnChange();
        }
    }

    /// <inheritdoc/>
    public void PendingChanged(Conversation conversation)
    {
        if (conversation == Conversation)
        {
            OnChange();
        }
    }

    /// <inheritdoc/>
    public void Complete(ChatConnectionChanged last) => EndInside();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_session.Gate)
        {
            if (!_hasEnded)
            {
                _session.Readers.Remove(this);
                _session.Pending.Hide(Conversation);
                EndInside();
            }
        }
    }

    private static ChatException Ended() => new(ChatErrorCodes.Closed, "The view has ended.");

    private void EndInside()
    {
        _hasEnded = true;
        _watchers.ForEach(watcher => watcher.Writer.TryComplete());
        // A callback of the token may be a wait's continuation, which must not run inside the gate.
        _ = _ending.CancelAsync();
    }

    private async Task<int> PageBackAsync(int limit)
    {
        for (var (pages, misses) = (0, 0); ;)
        {
            string? before;
            int generation;
            long first;
            lock (_session.Gate)
            {
                if (_state.Timeline.AtStart || pages++ == PagesAtOnce)
                {
                    return 0;
                }

                (generation, first) = (_state.Timeline.Generation, _state.Timeline.First);
                before = _state.Timeline.Last is null ? null : first.ToString(CultureInfo.InvariantCulture);
            }

            var page = await PageAsync(before, limit).ConfigureAwait(false);
            lock (_session.Gate)
            {
                var isStale = generation != _state.Timeline.Generation || first != _state.Timeline.First;
                if (!isStale && !_state.IsForeign(page))
                {
                    var added = _state.Prepend(page);
                    _recount.AskIfInexact();
                    OnChange();
                    if (added > 0)
                    {
                        return added;
                    }

                    continue;
                }

                if (!isStale)
                {
                    // Another log. The conversation itself finds out whether it was rebuilt, and says so with ConversationReset.
                    _session.Find(Conversation)?.Log.LookForMissed();
                }

                if (misses == _session.Options.RepairAttempts)
                {
                    throw new ChatException(ChatErrorCodes.EpochChanged, "The conversation's log changes, so that no page fits to it now.");
                }

                pages--;
            }

            var wait = ReconnectPolicy.Backoff(misses++, _session.Options.RepairDelay, TimeSpan.FromSeconds(5), _session.Options);
            try
            {
                await Task.Delay(wait, _session.Options.TimeProvider, _ending.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                throw Ended();
            }
        }
    }

    private async Task<HistoryPage> PageAsync(string? before, int limit)
    {
        try
        {
            return await _history.PageAsync(Conversation, before, null, limit, _ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw Ended();
        }
        catch (ChatException e) when (e.Status == 404 && !Conversation.IsRoom)
        {
            // Nobody has written there yet.
            return new HistoryPage([], "", 0, null);
        }
    }

    private void OnChange()
    {
        _current = null;
        _watchers.ForEach(watcher => watcher.Writer.TryWrite(true));
        _hasChanged = true;
        if (!_isRaising && Changed is not null)
        {
            _isRaising = true;
            _ = Task.Run(Raise);
        }
    }

    private void Raise()
    {
        while (true)
        {
            lock (_session.Gate)
            {
                if (!_hasChanged || _hasEnded)
                {
                    _isRaising = false;
                    return;
                }

                _hasChanged = false;
            }

            foreach (var handler in Changed?.GetInvocationList() ?? [])
            {
                try
                {
                    ((EventHandler)handler)(this, EventArgs.Empty);
                }
                catch (Exception e)
                {
                    // The application's own code: it must not end the view.
                    ClientLog.HandlerFailed(_log, e);
                }
            }
        }
    }
}
