using System.Globalization;
using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Wire;

namespace AspireChat.Client.Delivery;

/// <summary>
/// Reads missing events of one conversation from history, page by page, until it is whole. Without an answer it goes on asking for as
/// long as
/// the session is connected; with an answer that lacks them it asks <see cref="ChatClientOptions.RepairAttempts"/> times and then says so.
/// </summary>
internal sealed class GapRepair(IDeliveryHost session, HistoryApi history)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ChatClientOptions _options = session.Options;

    public async Task RunAsync(TrackedConversation conversation, CancellationToken cancellationToken)
    {
        var (misses, failures, generation) = (0, 0, -1);
        try
        {
            while (true)
            {
                long after;
                lock (session.Gate)
                {
                    if (!GoesOn(conversation))
                    {
                        return;
                    }

                    if (generation != conversation.Generation)
                    {
                        (misses, generation) = (0, conversation.Generation);
                    }

                    after = conversation.Cursor!.Value.Seq;
                }
                ClientMetrics.Repairs.Add(1);
                var from = after.ToString(CultureInfo.InvariantCulture);
                var page = history.PageAsync(conversation.Name, null, from, HistoryApi.LargestPage, cancellationToken);
                var answer = await page.ConfigureAwait(false);
                TimeSpan? wait;
                lock (session.Gate)
                {
                    if (!GoesOn(conversation))
                    {
                        return;
                    }

                    if (generation != conversation.Generation)
                    {
                        continue;
                    }

                    wait = Apply(conversation, after, answer, ref misses, ref failures);
                }
                if (wait is { } delay)
                {
                    await Task.Delay(delay, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The client ended.
        }
        catch (UnauthorizedAccessException)
        {
            lock (session.Gate)
            {
                conversation.IsRepairing = false;
            }
        }
    }

    private bool GoesOn(TrackedConversation conversation)
    {
        conversation.Flush();
        // What waits for the application's buffer is looked at again when there is room, what waits for a connection when there is one.
        var goesOn = conversation is { IsBehind: true, IsParked: false, IsCatchingUp: false, IsReady: true } && !session.Items.IsFull;
        conversation.IsRepairing = goesOn;
        return goesOn;
    }

    private TimeSpan? Apply(TrackedConversation conversation, long after, HttpAnswer<WirePage> answer, ref int misses, ref int failures)
    {
        if (answer.Body is { Epoch: { } epoch } page && Whole(page, conversation) is { } items)
        {
            failures = 0;
            var head = page.Head ?? items.Select(item => item.Seq!.Value).DefaultIfEmpty(after).Max();
            if (conversation.OnPage(after, epoch, head, items))
            {
                misses = 0;
                return null;
            }
            return Missed(conversation, head, ref misses);
        }
        if (answer.IsFinal)
        {
            return Missed(conversation, after, ref misses);
        }

        session.Fault(ChatFaults.History, answer.Problem ?? "history gave no page", conversation.Name);
        return answer.RetryAfter ?? Wait(failures++);
    }

    private TimeSpan? Missed(TrackedConversation conversation, long head, ref int misses)
    {
        if (++misses < _options.RepairAttempts)
        {
            return Wait(misses - 1);
        }

        misses = 0;
        conversation.GiveUp(head);
        return null;
    }

    private TimeSpan Wait(int failures) => ReconnectPolicy.Backoff(failures, _options.RepairDelay, LongestWait, _options);

    private static IReadOnlyList<WireFrame>? Whole(WirePage page, TrackedConversation conversation)
    {
        var items = page.Items ?? [];
        var room = conversation.Name.RoomId;
        return items.All(IsWhole) ? items : null;

        bool IsWhole(WireFrame item) => ServerFrameReader.IsEvent(item) && ServerFrameReader.Problem(item) is null && item.Room == room;
    }
}
