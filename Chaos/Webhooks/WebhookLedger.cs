using System.Text.Json;
using AspireChat.Chaos.Ledgers;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Chaos.Webhooks;

/// <summary>What one call told.</summary>
/// <param name="Id">The <c>webhook-id</c>.</param>
/// <param name="Conversation">Of its events; empty when they have none.</param>
internal sealed record WebhookCall(string Id, string Conversation, IReadOnlyList<(Guid Id, long Seq, long Timestamp)> Events);

/// <summary>
/// Every call that a receiver got, and what is promised of them: each committed event is told at least once; a repeat has the same id and the
/// same events; a conversation's events come in the order of seq. Thread-safe.
/// </summary>
internal sealed class WebhookLedger(Ledger ledger)
{
    public const string Told = "sent to told by a webhook";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, WebhookCall> _calls = [];
    private readonly Dictionary<string, long> _last = [];
    private readonly Dictionary<Guid, string> _callOf = [];
    private readonly HashSet<string> _taken = [];

    /// <summary>Calls, repeats included.</summary>
    public long Count { get; private set; }

    public long Repeats { get; private set; }

    public int EventsTaken { get; private set; }

    /// <summary>A call came, whatever becomes of it.</summary>
    public WebhookCall Arrived(string id, string body)
    {
        var call = Read(id, body);
        lock (_gate)
        {
            Count++;
            if (_calls.TryGetValue(id, out var before))
            {
                Repeats++;
                if (!before.Events.Select(e => e.Id).SequenceEqual(call.Events.Select(e => e.Id)))
                {
                    ledger.Findings.Add(Breach.Altered, $"call {id} came again with other events");
                }

                return call;
            }

            _calls.Add(id, call);
            foreach (var (e, seq, _) in call.Events)
            {
                if (!_callOf.TryAdd(e, id))
                {
                    ledger.Findings.Add(Breach.Duplicated, $"event {seq} of {call.Conversation} came in calls {_callOf[e]} and {id}");
                }

                if (_last.TryGetValue(call.Conversation, out var last) && seq <= last)
                {
                    ledger.Findings.Add(Breach.Inverted, $"a webhook told event {seq} of {call.Conversation} after {last}");
                }

                _last[call.Conversation] = seq;
            }

            return call;
        }
    }

    /// <summary>The receiver did what the call is for.</summary>
    public void Taken(WebhookCall call)
    {
        lock (_gate)
        {
            if (!_taken.Add(call.Id))
            {
                return;
            }

            EventsTaken += call.Events.Count;
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var (_, _, timestamp) in call.Events)
            {
                ledger.Durations.Add(Told, TimeSpan.FromMilliseconds(Math.Max(0, now - timestamp)));
            }
        }
    }

    /// <summary>Compares with what is in the database.</summary>
    public void Check(IReadOnlyDictionary<string, IReadOnlyList<Stored>> stored)
    {
        lock (_gate)
        {
            foreach (var (conversation, events) in stored)
            {
                foreach (var e in events.Where(e => !_callOf.TryGetValue(e.Id, out var call) || !_taken.Contains(call)))
                {
                    ledger.Findings.Add(Breach.Lost, $"event {e.Seq} of {conversation} was told to no webhook");
                }
            }
        }
    }

    private static WebhookCall Read(string id, string body)
    {
        using var document = JsonDocument.Parse(body);
        var conversation = "";
        var events = new List<(Guid, long, long)>();
        foreach (var e in document.RootElement.GetProperty("events").EnumerateArray())
        {
            var data = e.GetProperty("data");
            if (!data.TryGetProperty("seq", out var seq))
            {
                continue;
            }

            conversation = data.TryGetProperty("room", out var room)
                ? ConversationKey.Room(room.GetString()!).Value
                : ConversationKey.Direct(data.GetProperty("from").GetString()!, data.GetProperty("to").GetString()!).Value;
            Timestamps.TryParse(e.GetProperty("timestamp").GetString(), out var timestamp);
            events.Add((data.GetProperty("id").GetGuid(), seq.GetInt64(), timestamp));
        }

        return new WebhookCall(id, conversation, events);
    }
}
