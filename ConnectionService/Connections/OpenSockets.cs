using System.Collections.Concurrent;
using AspireChat.ConnectionService.Hubs.Mailboxes;

namespace AspireChat.ConnectionService.Connections;

/// <summary>The sockets of the process, for draining. Thread-safe.</summary>
internal sealed class OpenSockets
{
    private readonly ConcurrentDictionary<Connection, bool> _open = [];
    private volatile bool _draining;

    /// <summary>No new sockets are taken.</summary>
    public bool IsDraining => _draining;

    public int Count => _open.Count;

    public IReadOnlyCollection<Connection> All => [.. _open.Keys];

    public void Add(Connection connection) => _open.TryAdd(connection, true);

    public void Remove(Connection connection) => _open.TryRemove(connection, out _);

    public void StopTaking() => _draining = true;
}
