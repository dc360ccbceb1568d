using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// The node's joins: <see cref="HubOptions.Joins"/> at once, and users take turns. A user who asks for hundreds waits for their own, and one who asks
/// for a single one does not. Thread-safe.
/// </summary>
internal sealed class JoinTurns(IConversationLog log, IOptions<HubOptions> options, TimeProvider time)
{
    /// <summary>How long a join waits: as long as a client should, who then asks again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Budgets:ConversationsPerSecond bounds what a user's connections ask for; this is only for the case that a node is much too slow.
    private readonly FairTurns _turns = new(options.Value.Joins, mostWaitingOfKey: 2_000, mostWaiting: 100_000, time);

    /// <exception cref="LogUnavailableException">The log cannot be reached, or the node has too much to do.</exception>
    /// <param name="rights">What the user's token grants in the room; null: it has no claim.</param>
    public async Task<JoinResult> JoinAsync(string room, string user, int? rights, CancellationToken cancellationToken)
    {
        if (!await _turns.EnterAsync(user, Patience, cancellationToken))
        {
            throw new LogUnavailableException("Too many joins are under way.");
        }

        try
        {
            return await log.JoinAsync(room, user, cancellationToken, rights);
        }
        finally
        {
            _turns.Leave();
        }
    }
}
