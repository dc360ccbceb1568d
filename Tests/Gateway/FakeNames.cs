using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AspireChat.Gateway.Routing;

namespace AspireChat.Tests.Gateway;

/// <summary>A name server that knows what the test says.</summary>
internal sealed class FakeNames : INameLookup
{
    private int _lookups;

    public ConcurrentDictionary<string, string[]> Addresses { get; } = new();

    public int Lookups => Volatile.Read(ref _lookups);

    public Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookups);
        return Addresses.TryGetValue(name, out var addresses)
            ? Task.FromResult(addresses.Select(IPAddress.Parse).ToArray())
            : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));
    }
}
