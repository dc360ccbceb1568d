using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// Counts how often each partition of the log was seen to have moved. A partition of which the hub heard something has moved. The others are
/// asked for their place in the log, all in one read. Belongs to one hub.
/// </summary>
internal sealed class PartitionMoves(PartitionTraffic traffic)
{
    private readonly long[] _moves = new long[LogPartitions.Count];

    /// <summary>As the log told it; null when it is not known.</summary>
    private readonly PartitionPlace?[] _places = new PartitionPlace?[LogPartitions.Count];

    /// <summary>Those of the last <see cref="Silent"/>, which may still be asked.</summary>
    private List<int> _asked = [];

    /// <summary>A feed that was compared at this number is up to date.</summary>
    public long Of(int partition) => _moves[partition];

    /// <summary>Each partition counts as moved at its next answer.</summary>
    public void Forget() => Array.Clear(_places);

    /// <summary>Counts what was heard since the last call. Gives the followed partitions of which nothing was heard: they are to be asked.</summary>
    public IReadOnlyList<int> Silent(out bool heard)
    {
        _asked = [];
        heard = false;
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            if (traffic.TakeHeard(partition))
            {
                _moves[partition]++;
                heard = true;
            }
            else if (traffic.IsFollowed(partition))
            {
                _asked.Add(partition);
            }
        }
        return _asked;
    }

    /// <summary>True when one of the partitions asked for has moved. One that is closed has no place, and counts as moved until it is open.</summary>
    public bool Answered(IReadOnlyDictionary<int, PartitionPlace> places)
    {
        var moved = false;
        foreach (var partition in _asked)
        {
            PartitionPlace? place = places.TryGetValue(partition, out var known) ? known : null;
            if (place is null || place != _places[partition])
            {
                _places[partition] = place;
                _moves[partition]++;
                moved = true;
            }
        }
        return moved;
    }
}
