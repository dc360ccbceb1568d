using System.Text.Json;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>
/// A direct conversation as one client sees it. It checks each frame of the conversation. Live events and a replay may come mixed, so it
/// follows every way in which the frames so far could have been mixed.
/// </summary>
internal sealed class DirectView(string other, PromiseCheck check)
{
    private readonly ConversationKey _key = ConversationKey.Direct(check.User, other);
    private readonly HashSet<(string? Epoch, long Seq)> _seen = [];

    /// <summary>The epoch of what comes over this connection.</summary>
    private string? _liveEpoch;

    private bool _resuming;
    private bool _resumed;
    private long _since;

    /// <summary>
    /// Where live traffic and replay may be. An event may have been either, so there can be several places. Without any, a promise is
    /// broken.
    /// </summary>
    private HashSet<(long? Live, long Replay)> _places = [(null, 0)];

    /// <summary>The epoch of the cursor.</summary>
    public string? Epoch { get; private set; }

    public bool IsResuming => _resuming;

    /// <summary>Every event up to here was seen, in the cursor's epoch.</summary>
    private long Contiguous
    {
        get
        {
            var seq = 0L;
            while (_seen.Contains((Epoch, seq + 1)))
            {
                seq++;
            }

            return seq;
        }
    }

    /// <summary>The client resumes. Returns the cursor to send.</summary>
    public long Resume()
    {
        _resuming = true;
        _since = Contiguous;
        _places = [.. _places.Select(place => (place.Live, _since))];
        return _since;
    }

    /// <summary>The next resume asks for the events behind the last one that is known to be without a gap.</summary>
    public void OnDisconnected()
    {
        _resuming = _resumed = false;
        _liveEpoch = null;
        _places = [(null, 0)];
    }

    public void OnUnavailable() => _resuming = false;

    /// <summary>When all traffic has ended, no event is missing.</summary>
    public void CheckComplete()
    {
        if (_resumed)
        {
            var head = check.Log.HeadOf(_key);
            check.That(Contiguous == head, $"dm with {other} ended at {Contiguous} instead of {head}", null);
        }
    }

    public void OnEvent(JsonElement frame, byte[] text)
    {
        var seq = frame.GetProperty("seq").GetInt64();
        // The first event does not say its epoch.
        _liveEpoch ??= check.Log.EpochOf(frame.GetProperty("id").GetGuid());
        Epoch ??= _liveEpoch;
        check.Identity(_key, _liveEpoch, seq, frame, text);
        var before = _places;
        _places = [];
        foreach (var (live, replay) in before)
        {
            if (live is null || seq == live + 1)
            {
                _places.Add((seq, replay));
            }

            if (_resuming && seq == replay + 1)
            {
                _places.Add((live, seq));
            }
        }
        check.That(_places.Count > 0, $"seq {seq} while at {string.Join(" or ", before)}", text);
        _seen.Add((_liveEpoch, seq));
    }

    public void OnResumed(JsonElement frame, byte[] text)
    {
        var (seq, head, complete, epoch) = PromiseCheck.Resumed(frame);
        var restarted = epoch != (_liveEpoch ?? epoch);
        if (_resuming && !restarted && frame.TryGetProperty("ref", out _))
        {
            check.That((seq == 0 && !complete) || _places.Any(place => place.Replay == seq),
                $"resumed at {seq} while at {string.Join(" or ", _places)}", text);
            check.That(!complete || seq == head, "complete before the head", text);
        }
        if (!complete)
        {
            // A client fetches the rest over HTTP.
            for (var i = 1; i <= head; i++)
            {
                _seen.Add((epoch, i));
            }
        }
        Epoch = _liveEpoch = epoch;
        if (!frame.TryGetProperty("ref", out _))
        {
            // The hub sends this unasked when the log was rebuilt or no longer holds the missed events.
            check.That(!complete, "a resumed that was not asked for", text);
            _places = [.. _places.Select(place => ((long?)head, place.Replay))];
            return;
        }
        check.That(_resuming, "an answer to a resume that was not sent", text);
        _resuming = false;
        _resumed = true;
        // Live events continue behind the head, or behind those that came live meanwhile.
        _places = [.. _places.Where(place => restarted || seq == 0 || place.Replay == seq)
            .Select(place => ((long?)(restarted ? head : Math.Max(place.Live ?? 0, head)), 0L))];
    }
}
