using System.Text.Json.Nodes;

namespace AspireChat.Tests.Client;

/// <summary>One conversation's log in the fault server. Not thread-safe: the server's gate guards it.</summary>
internal sealed class ServerLog(string key, string epoch)
{
    private readonly Dictionary<(string User, string Nonce), JsonObject> _acks = [];

    public string Key { get; } = key;

    public string Epoch { get; private set; } = epoch;

    /// <summary>The events as live frames without nonce. The index is the seq minus 1.</summary>
    public List<JsonObject> Events { get; } = [];

    public List<string> Nonces { get; } = [];

    /// <summary>The logs that this one has replaced: their epochs and the ids of their events.</summary>
    public List<(string Epoch, List<string> Ids)> Former { get; } = [];

    public long Head => Events.Count;

    public IEnumerable<string> Users => Key.StartsWith("d:", StringComparison.Ordinal) ? Key.Split(':').Skip(1) : [];

    /// <summary>The ack, with <c>duplicate</c> when the nonce is known.</summary>
    public JsonObject Append(string from, JsonObject frame)
    {
        var nonce = (string)frame["nonce"]!;
        if (_acks.TryGetValue((from, nonce), out var first))
        {
            var again = first.DeepClone().AsObject();
            again["duplicate"] = true;
            return again;
        }
        var e = frame.DeepClone().AsObject();
        e.Remove("nonce");
        e["id"] = Guid.NewGuid().ToString();
        e["seq"] = Head + 1;
        e["from"] = from;
        e["timestamp"] = "2026-03-01T12:00:00.000Z";
        Events.Add(e);
        Nonces.Add(nonce);
        var ack = new JsonObject
        {
            ["type"] = "ack", ["nonce"] = nonce, ["id"] = (string)e["id"]!, ["seq"] = Head, ["epoch"] = Epoch,
            ["timestamp"] = "2026-03-01T12:00:00.000Z",
        };
        foreach (var place in (ReadOnlySpan<string>)["room", "to"])
        {
            if (frame[place] is { } name)
            {
                ack[place] = (string)name!;
            }
        }
        _acks.Add((from, nonce), ack);
        return ack;
    }

    /// <summary>Rebuilds the log. Its last events may be gone, and their seqs are given out again under another epoch.</summary>
    public void Rebuild(string epoch, int lost)
    {
        Former.Add((Epoch, [.. Events.Select(e => (string)e["id"]!)]));
        lost = Math.Min(lost, Events.Count);
        foreach (var nonce in Nonces.TakeLast(lost))
        {
            foreach (var key in _acks.Keys.Where(key => key.Nonce == nonce).ToList())
            {
                _acks.Remove(key);
            }
        }
        Events.RemoveRange(Events.Count - lost, lost);
        Nonces.RemoveRange(Nonces.Count - lost, lost);
        Epoch = epoch;
    }

    /// <summary>The event as this user sees it.</summary>
    public JsonObject View(int index, string user)
    {
        var e = Events[index].DeepClone().AsObject();
        if ((string)e["from"]! == user)
        {
            e["nonce"] = Nonces[index];
        }

        return e;
    }
}
