using AspireChat.Client.Wire;

namespace AspireChat.Client.History;

/// <summary>Answers of <see cref="HistoryApi"/> in the application's types. Thread-safe.</summary>
internal sealed class HistoryReader(HistoryApi api)
{
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.History"/>: there was no page, or it held something that is no
    /// event.</exception>
    public async Task<HistoryPage> PageAsync(
        Conversation conversation, string? before, string? after, int limit, CancellationToken cancellationToken)
    {
        var page = Required(await api.PageAsync(conversation, before, after, limit, cancellationToken).ConfigureAwait(false));
        var items = page.Items ?? [];
        if (items.FirstOrDefault(item => !ServerFrameReader.IsEvent(item) || ServerFrameReader.Problem(item) is not null) is { } bad)
        {
            throw new ChatException(ChatErrorCodes.History, ServerFrameReader.Problem(bad) ?? $"'{bad.Type}' is no event");
        }

        var epoch = page.Epoch ?? "";
        return new HistoryPage(
            [.. items.Select(item => ServerFrameReader.ToEvent(item, conversation, epoch, page.Head ?? 0))], epoch, page.Head ?? 0, page.Next);
    }

    /// <exception cref="ChatException"><see cref="ChatErrorCodes.History"/>: there was no answer.</exception>
    public async Task<IReadOnlyList<ConversationOverview>> ConversationsAsync(CancellationToken cancellationToken)
    {
        var items = Required(await api.ConversationsAsync(null, cancellationToken).ConfigureAwait(false)).Items ?? [];
        return [.. items.Select(item =>
        {
            var conversation = item.Room is not null ? Conversation.Room(item.Room) : Conversation.With(item.To!);
            var last = item.Last is { } e && ServerFrameReader.Problem(e) is null ? ServerFrameReader.ToEvent(e, conversation, null) : null;
            return new ConversationOverview(conversation, item.Head, item.Read, item.Unread, last) { Mentions = item.Mentions ?? 0 };
        })];
    }

    private static T Required<T>(HttpAnswer<T> answer) where T : class => answer.Body
        ?? throw new ChatException(ChatErrorCodes.History, answer.Problem ?? "no answer")
        {
            Status = answer.Status == 0 ? null : answer.Status,
        };
}
