using System.Security.Cryptography;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// Names this replica as consumer and lease holder. New at every start: what a former life left pending is claimed like anybody's, and
/// its leases run out.
/// </summary>
internal sealed record ReplicaName(string Value)
{
    public static ReplicaName New() => new($"{Environment.MachineName}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
}
