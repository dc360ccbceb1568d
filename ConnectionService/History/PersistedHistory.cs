using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;

namespace AspireChat.ConnectionService.History;

/// <summary>Asks PersistenceService: <c>GET /internal/events</c>. The answer is a line per event in the form of <see cref="ChannelMessageKind.Event"/>.</summary>
internal sealed class PersistedHistory(HttpClient http) : IEventHistory
{
    public async Task<IReadOnlyList<ConversationEvent>> ReadAsync(
        ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        var path = string.Create(
            CultureInfo.InvariantCulture, $"/internal/events?conversation={Uri.EscapeDataString(conversation.Value)}&after={afterSeq}&limit={limit}");
        var answer = (ReadOnlyMemory<byte>)await http.GetByteArrayAsync(path, cancellationToken);
        var events = new List<ConversationEvent>();
        while (!answer.IsEmpty)
        {
            var end = answer.Span.IndexOf((byte)'\n');
            if (end < 0
                || !ChannelMessage.TryParse(answer[..end], out var line)
                || LogRecordCodec.Decode(line.Body.Span, line.Number, line.First) is not ConversationEvent e)
            {
                throw new HttpRequestException("PersistenceService answered events in a form that is not known here.");
            }
            events.Add(e);
            answer = answer[(end + 1)..];
        }
        return events;
    }
}
