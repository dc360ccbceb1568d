namespace AspireChat.Benchmarks.Load;

/// <summary>What a measurement needs to be different in <see cref="AspireChatSystem"/>.</summary>
/// <param name="Prepare">Called with the connection string of PostgreSQL before any service runs.</param>
/// <param name="RedisOfNode">The connection string that a node gets, of its index and that of the others.</param>
internal sealed record SystemChanges(Func<string, Task>? Prepare = null, Func<int, string, string>? RedisOfNode = null);
