using AspireChat.Chaos.Ledgers;
using AspireChat.Client;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;

namespace AspireChat.Chaos.Traffic;

/// <summary>What all clients of a run share.</summary>
/// <param name="Fault">Gives the name of the fault that is in effect; empty for none.</param>
internal sealed record Traffic(Ledger Ledger, Func<string> Fault)
{
    public const string Ack = "send to ack, between faults";

    public const string Resume = "rejoined after a lost connection";

    public const string ResumeAfterKill = "rejoined after kill -9 of a replica";

    public Durations Durations => Ledger.Durations;
}

/// <summary>
/// One user with the client library. It joins its rooms, sends a seeded mix of messages, edits, deletions and reactions, and writes each
/// acknowledgement and each event that it gets into the ledger.
/// </summary>
internal sealed class SeededClient(ChatClient client, string user, IReadOnlyList<Conversation> conversations, int seed, Traffic traffic)
    : IAsyncDisposable
{
    private const int Filler = 80;

    /// <summary>A lane that a fault has held up sends at most this many of the missed events at once.</summary>
    private static readonly TimeSpan MostArrears = TimeSpan.FromSeconds(5);

    private readonly Dictionary<Conversation, MemberView> _views = conversations.ToDictionary(
        conversation => conversation, conversation => traffic.Ledger.View(user, KeyOf(user, conversation).Value));

    private readonly CancellationTokenSource _stop = new();
    private readonly UndurableSends _undurable = new();
    private int _sendingAgain;
    private Task _reading = Task.CompletedTask;
    private long? _lostAt;
    private string _lostBy = "";
    private int _unjoined;

    public string User => user;

    /// <summary>For reading history as this user.</summary>
    public ChatClient Client => client;

    /// <summary>Sends that are not answered, including those that are repeated after a wipe.</summary>
    public int Unacknowledged => client.Unacknowledged + Volatile.Read(ref _sendingAgain);

    public IEnumerable<(Conversation Conversation, MemberView View)> Directs =>
        _views.Where(view => !view.Key.IsRoom).Select(view => (view.Key, view.Value));

    public IReadOnlyCollection<MemberView> Views => _views.Values;

    private int Rooms => conversations.Count(conversation => conversation.IsRoom);

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        _reading = ReadAsync();
        await client.ConnectAsync(cancellationToken);
        foreach (var room in conversations.Where(conversation => conversation.IsRoom))
        {
            await client.JoinAsync(room.RoomId!, cancellationToken: cancellationToken);
        }
    }

    /// <summary>Sends until stopped, about <paramref name="rate"/> events a second in all. Returns when all are answered.</summary>
    public Task SendAsync(double rate, CancellationToken stop) =>
        Task.WhenAll(conversations.Select((conversation, lane) =>
            LaneAsync(conversation, new Random(unchecked((seed * 31) + lane)), rate / conversations.Count, stop)));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await client.DisposeAsync();
        await _reading;
        _stop.Dispose();
    }

    private async Task LaneAsync(Conversation conversation, Random random, double rate, CancellationToken stop)
    {
        var own = new List<long>();
        var key = KeyOf(user, conversation).Value;
        var (began, due) = (TimeProvider.System.GetTimestamp(), TimeSpan.Zero);
        for (var order = 0L; !stop.IsCancellationRequested; order++)
        {
            due += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / rate);
            var now = TimeProvider.System.GetElapsedTime(began);
            if (now - due > MostArrears)
            {
                due = now - MostArrears;
            }

            try
            {
                if (due > now)
                {
                    await Task.Delay(due - now, TimeProvider.System, stop);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            var nonce = $"{user}-{conversation.RoomId ?? conversation.User}-{order}";
            if (nonce.Length > 64)
            {
                nonce = nonce[^64..];
            }

            var content = Content(nonce, random);
            try
            {
                var dice = own.Count > 0 ? random.Next(100) : 100;
                var target = own.Count > 0 ? own[random.Next(own.Count)] : 0;
                var (sent, fault) = (TimeProvider.System.GetTimestamp(), traffic.Fault());
                var accepted = await (dice switch
                {
                    < 3 => client.EditAsync(conversation, target, content, nonce, CancellationToken.None),
                    < 5 => client.DeleteAsync(conversation, target, nonce, CancellationToken.None),
                    < 9 => client.ReactAsync(conversation, target, "👍", false, nonce, CancellationToken.None),
                    _ => client.SendAsync(conversation, content, nonce, CancellationToken.None),
                });
                var hash = dice >= 9 ? ContentHash.Of(content) : 0;
                traffic.Ledger.Acknowledge(new Acknowledged(
                    key, accepted.Epoch, accepted.Seq, Guid.Parse(accepted.Id), user, nonce, hash, order));
                if (fault.Length == 0 || fault == Outage.Name)
                {
                    traffic.Durations.Add(fault.Length == 0 ? Traffic.Ack : Outage.Ack, TimeProvider.System.GetElapsedTime(sent));
                }

                if (dice >= 9)
                {
                    Keep(conversation, new UndurableSend(nonce, content, accepted.Epoch, accepted.Seq));
                }

                if (dice is >= 3 and < 5)
                {
                    own.Remove(target);
                }
                else if (dice >= 9)
                {
                    own.Add(accepted.Seq);
                }

                if (own.Count > 20)
                {
                    own.RemoveAt(0);
                }
            }
            catch (ChatException e) when (e.Code is ErrorCodes.NotFound or ErrorCodes.Forbidden && traffic.Ledger.AnyWiped)
            {
                // A wipe took the message that this refers to, or gave its seq to another user's message.
                own.Clear();
            }
            catch (ChatException e)
            {
                traffic.Ledger.Findings.Add(Breach.Unanswered, $"{nonce}: {e.Code} {e.Message}");
                return;
            }
        }
    }

    private void Keep(Conversation conversation, UndurableSend send)
    {
        _undurable.Add(conversation, send);
        // The application may have been told of the new log before it handles this answer from the old one.
        if (_views[conversation].Epoch is { } present && present != send.Epoch && traffic.Ledger.IsWiped(send.Epoch))
        {
            SendLostAgain(conversation, present);
        }
    }

    private void SendLostAgain(Conversation conversation, string present)
    {
        foreach (var lost in _undurable.TakeLost(conversation, present))
        {
            Interlocked.Increment(ref _sendingAgain);
            _ = SendAgainAsync(conversation, lost);
        }
    }

    private async Task SendAgainAsync(Conversation conversation, UndurableSend lost)
    {
        try
        {
            var accepted = await client.SendAsync(conversation, lost.Content, lost.Nonce, CancellationToken.None);
            traffic.Ledger.AcknowledgeAgain(new Acknowledged(
                KeyOf(user, conversation).Value, accepted.Epoch, accepted.Seq, Guid.Parse(accepted.Id), user, lost.Nonce,
                ContentHash.Of(lost.Content), -1));
            // The new log got its nonces from the database. If it knows this repeat, the event was committed before the wipe.
            if (!accepted.Duplicate)
            {
                Keep(conversation, lost with { Epoch = accepted.Epoch, Seq = accepted.Seq });
            }
        }
        catch (ChatException e)
        {
            traffic.Ledger.Findings.Add(Breach.Unanswered, $"{lost.Nonce}, sent again: {e.Code} {e.Message}");
        }
        finally
        {
            Interlocked.Decrement(ref _sendingAgain);
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var item in client.Events(_stop.Token))
            {
                await TakeAsync(item);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private async Task TakeAsync(ChatItem item)
    {
        switch (item)
        {
            case ChatConnectionChanged change:
                Connection(change);
                break;
            case RoomJoined joined:
                _views[joined.Conversation].Begin(joined.Epoch, joined.Head);
                if (_lostAt is { } lost && --_unjoined == 0)
                {
                    var time = TimeProvider.System.GetElapsedTime(lost);
                    traffic.Durations.Add(Traffic.Resume, time);
                    if (_lostBy == "kill connection")
                    {
                        traffic.Durations.Add(Traffic.ResumeAfterKill, time);
                    }

                    _lostAt = null;
                }
                break;
            case ChatEvent e when _views.TryGetValue(e.Conversation, out var view):
                view.Deliver(e.Epoch, e.Seq, Guid.Parse(e.Id), NonceOf(e));
                break;
            case ConversationReset reload when _views.TryGetValue(reload.Conversation, out var view):
                await HistoryRepair.ReloadAsync(client, reload.Conversation, view, reload.Epoch, reload.Head, _stop.Token);
                SendLostAgain(reload.Conversation, reload.Epoch);
                break;
            case HistoryGap gap when _views.TryGetValue(gap.Conversation, out var view):
                traffic.Ledger.Findings.Add(Breach.ToldWithoutCause, $"{view}: told that {gap.From} to {gap.To} do not exist");
                await HistoryRepair.FillAsync(client, gap.Conversation, view, gap.From, gap.To, _stop.Token);
                break;
            case EventsDurable durable when _views.TryGetValue(durable.Conversation, out var view):
                traffic.Ledger.Durable(view.Conversation, view.Epoch, durable.Seq);
                _undurable.Committed(durable.Conversation, view.Epoch, durable.Seq);
                break;
        }
    }

    private void Connection(ChatConnectionChanged change)
    {
        if (change.State == ChatConnectionState.Reconnecting && _lostAt is null)
        {
            _lostAt = TimeProvider.System.GetTimestamp();
            _lostBy = traffic.Fault();
        }
        if (change.State == ChatConnectionState.Connected)
        {
            _unjoined = Rooms;
        }

        if (change.State == ChatConnectionState.Closed && !_stop.IsCancellationRequested)
        {
            traffic.Ledger.Findings.Add(Breach.Unhealed, $"{user} was told to stay away: {change.CloseCode} {change.Reason}");
        }
    }

    private static ConversationKey KeyOf(string user, Conversation conversation) =>
        conversation.IsRoom ? ConversationKey.Room(conversation.RoomId) : ConversationKey.Direct(user, conversation.User);

    /// <summary>The content begins with the nonce, by which every reader recognizes the send.</summary>
    private static string Content(string nonce, Random random) =>
        $"{nonce} {new string((char)('a' + random.Next(26)), random.Next(1, Filler))}";

    private static string? NonceOf(ChatEvent e) => e switch
    {
        MessageSent { Deleted: false, Edited: 0 } message => message.Content.Split(' ')[0],
        _ => null,
    };
}
