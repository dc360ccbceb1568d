using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>
/// Of which partitions of the log a hub follows conversations, and of which it has heard something lately. Belongs to one hub.
/// </summary>
internal sealed class PartitionTraffic
{
    private readonly bool[] _followed = new bool[LogPartitions.Count];
    private readonly bool[] _heard = new bool[LogPartitions.Count];

    public void Followed(int partition) => _followed[partition] = true;

    public bool IsFollowed(int partition) => _followed[partition];

    public void ForgetFollowed() => Array.Clear(_followed);

    /// <summary>A message about one of its conversations came.</summary>
    public void Heard(int partition) => _heard[partition] = true;

    /// <summary>Whether something was heard since this was last asked.</summary>
    public bool TakeHeard(int partition)
    {
        var heard = _heard[partition];
        _heard[partition] = false;
        return heard;
    }
}
