using System.Globalization;
using AspireChat.Chaos.Ledgers;
using AspireChat.Client;

namespace AspireChat.Chaos.Traffic;

/// <summary>
/// What an application does when it is told to reload or of a gap: it reads history until it meets the events that it has.
/// </summary>
internal static class HistoryRepair
{
    private const int Page = 200;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads back from the new log's head to the first event that the view already has, and takes the events above it.</summary>
    public static async Task ReloadAsync(
        ChatClient http, Conversation conversation, MemberView view, string epoch, long head, CancellationToken cancellationToken)
    {
        view.Reload(epoch);
        var above = new List<(long Seq, Guid Id)>();
        var anchor = Math.Min(view.Start, head);
        for (string? before = (head + 1).ToString(CultureInfo.InvariantCulture); before is not null;)
        {
            var page = await PageAsync(http, conversation, before, null, cancellationToken);
            before = page.Next;
            foreach (var e in page.Items)
            {
                var id = Guid.Parse(e.Id);
                if (e.Seq <= view.Start || view.IdAt(e.Seq) == id)
                {
                    anchor = e.Seq <= view.Start ? view.Start : e.Seq;
                    before = null;
                    break;
                }
                above.Add((e.Seq, id));
            }
        }
        above.Reverse();
        view.Restore(anchor, above);
    }

    /// <summary>Reads the events from <paramref name="from"/> to <paramref name="to"/>, inclusive.</summary>
    public static async Task FillAsync(
        ChatClient http, Conversation conversation, MemberView view, long from, long to, CancellationToken cancellationToken)
    {
        view.Tell(to);
        for (string? after = (from - 1).ToString(CultureInfo.InvariantCulture); after is not null;)
        {
            var page = await PageAsync(http, conversation, null, after, cancellationToken);
            foreach (var e in page.Items.Where(e => e.Seq <= to))
            {
                view.Fill(e.Seq, Guid.Parse(e.Id));
            }

            after = page.Items.Count > 0 && page.Items[^1].Seq < to ? page.Next : null;
        }
    }

    /// <summary>A whole conversation, oldest first.</summary>
    public static async Task<IReadOnlyList<(long Seq, Guid Id)>> AllAsync(
        ChatClient http, Conversation conversation, CancellationToken cancellationToken)
    {
        var all = new List<(long, Guid)>();
        for (string? after = "0"; after is not null;)
        {
            var page = await PageAsync(http, conversation, null, after, cancellationToken);
            all.AddRange(page.Items.Select(e => (e.Seq, Guid.Parse(e.Id))));
            after = page.Next;
        }
        return all;
    }

    private static async Task<HistoryPage> PageAsync(
        ChatClient http, Conversation conversation, string? before, string? after, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await http.HistoryAsync(conversation, before, after, Page, cancellationToken);
            }
            catch (ChatException e) when (e.Code == ChatErrorCodes.History)
            {
                // This program stops PostgreSQL and the service from time to time, so the call is repeated.
                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }
        }
    }
}
