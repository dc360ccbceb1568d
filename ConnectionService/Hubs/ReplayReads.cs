using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// The node's reads of the log for replays. <see cref="HubOptions.ReplayReads"/> run at once, so the pages of all replays together have a bound in
/// memory, and repairs, joins and sends find Redis free. Thread-safe.
/// </summary>
internal sealed class ReplayReads(EventReader events, IOptions<HubOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.ReplayReads);

    public async Task<TailSlice> ReadAsync(ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await events.ReadAsync(conversation, afterSeq, limit, cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();
}
