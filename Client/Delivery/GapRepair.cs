using System.Globalization;
using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Wire;

namespace AspireChat.Client.Delivery;

/// <summary>
/// Reads missing events of one conversation from history, page by page, until none is missing. While history does not answer, it asks for
/// as long as the session is connected. When history answers without the missing events, it asks
/// <see cref="ChatClientOptions.RepairAttempts"/> times and then gives up.
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

                    if (generation != conversation.Log.Generation)
                    {
                        (misses, generation) = (0, conversation.Log.Generation);
                    }

                    after = conversation.Log.Cursor!.Value.Seq;
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

                    if (generation != conversation.Log.Generation)
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
        conversation.Log.Flush();
        // The next connection starts the repair again once it is up.
        var goesOn = conversation is { Log: { IsBehind: true, Replay.IsUnderWay: false }, IsReady: true };
        conversation.IsRepairing = goesOn;
        return goesOn;
    }

    private TimeSpan? Apply(TrackedConversation conversation, long after, HttpAnswer<WirePage> answer, ref int misses, ref int failures)
    {
        if (answer.Body is { Epoch: { } epoch } page && Whole(page, conversation.Name) is { } items)
        {
            failures = 0;
            var head = page.Head ?? items.Select(item => item.Seq!.Value).DefaultIfEmpty(after).Max();
            if (conversation.Log.OnPage(after, epoch, head, items))
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

        session.Fault(ChatErrorCodes.History, answer.Problem ?? "history gave no page", conversation.Name);
        return answer.RetryAfter ?? Wait(failures++);
    }

    private TimeSpan? Missed(TrackedConversation conversation, long head, ref int misses)
    {
        if (++misses < _options.RepairAttempts)
        {
            return Wait(misses - 1);
        }

        misses = 0;
        conversation.Log.GiveUp(head);
        return null;
    }

    private TimeSpan Wait(int failures) => ReconnectPolicy.Backoff(failures, _options.RepairDelay, LongestWait, _options);

    /// <summary>The page's items; null if one of them is no event of this conversation.</summary>
    internal static IReadOnlyList<WireFrame>? Whole(WirePage page, Conversation conversation)
    {
        var items = page.Items ?? [];
        var room = conversation.RoomId;
        return items.All(IsWhole) ? items : null;

        bool IsWhole(WireFrame item) => ServerFrameReader.IsEvent(item) && ServerFrameReader.Problem(item) is null && item.Room == room;
    }
}
