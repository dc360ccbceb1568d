using System.Net;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using StackExchange.Redis;

namespace AspireChat.Chaos;

/// <summary>Runs <c>FLUSHALL</c> and tells the ledger which epochs end with it.</summary>
internal static class Wipe
{
    public static async Task RunAsync(ConnectionMultiplexer redis, Ledger ledger)
    {
        foreach (var epoch in await ChatStack.EpochsAsync(redis.GetDatabase()))
        {
            ledger.Wipe(epoch);
        }

        EndPoint endpoint = redis.GetEndPoints()[0];
        await redis.GetServer(endpoint).FlushAllDatabasesAsync();
    }
}
