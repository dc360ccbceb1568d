using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>Passes the log's answers to a connection's events on to the hub that answers the client. Thread-safe.</summary>
internal sealed class SentEvents(Connection connection, HubDirectory hubs, TokenBucket budget) : IAppendCompletion
{
    public void Completed(ConversationEvent appended, AppendResult result)
    {
        // A repeat is no event, and what was not accepted did not happen.
        if (result.Status != AppendStatus.Accepted)
            budget.GiveBack();
        AppendSpans.End(appended, result);
        hubs.OfSender(appended.Conversation, appended.From).Post(new HubMessage.Appended(connection, appended, result));
    }
}
