using System.Globalization;
using AspireChat.Client.Connecting;
using AspireChat.Client.Delivery;
using AspireChat.Client.History;
using AspireChat.Client.Wire;

namespace AspireChat.Client.Reading;

/// <summary>
/// Reads from history what a reader has missed of one conversation, page by page, as fast as the reader makes space. What history lacks
/// in <see cref="ChatClientOptions.RepairAttempts"/> answers is told as a <see cref="HistoryGap"/>.
/// </summary>
internal sealed class CatchUp(IDeliveryHost session, HistoryApi history, ItemReader reader)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ChatClientOptions _options = session.Options;

    public async Task RunAsync(Backlog backlog, CancellationToken cancellationToken)
    {
        var (misses, failures, generation) = (0, 0, -1);
        try
        {
            while (true)
            {
                string after;
                int limit;
                lock (session.Gate)
                {
                    if (!reader.GoesOn(backlog))
                    {
                        return;
                    }

                    if (generation != backlog.Generation)
                    {
                        (misses, generation) = (0, backlog.Generation);
                    }

                    after = backlog.After!.Value.Seq.ToString(CultureInfo.InvariantCulture);
                    limit = Math.Min(reader.Space, HistoryApi.LargestPage);
                }

                ClientMetrics.Repairs.Add(1);
                var page = history.PageAsync(backlog.Conversation, null, after, limit, cancellationToken);
                var answer = await page.ConfigureAwait(false);
                TimeSpan? wait = null;
                lock (session.Gate)
                {
                    if (generation == backlog.Generation && backlog.After is not null)
                    {
                        wait = Apply(backlog, answer, ref misses, ref failures);
                    }
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
            // There will be no token. The next connection finds that out, and ends the client.
            lock (session.Gate)
            {
                backlog.IsReading = false;
            }
        }
    }

    /// <summary>Gives the reader what the page has. Returns how long to wait before the next page; null: not at all.</summary>
    private TimeSpan? Apply(Backlog backlog, HttpAnswer<WirePage> answer, ref int misses, ref int failures)
    {
        if (answer.Body is { Epoch: { } epoch } page && GapRepair.Whole(page, backlog.Conversation) is { } items)
        {
            if (backlog.After!.Value.Epoch is { } known && known != epoch)
            {
                // Another log. The conversation itself finds out whether it was rebuilt, and says so with ConversationReset.
                session.Find(backlog.Conversation)?.Log.LookForMissed();
                return Wait(failures++);
            }

            failures = 0;
            List<WireFrame> ordered = [.. items.Where(item => item.Seq > backlog.After.Value.Seq).OrderBy(item => item.Seq)];
            if (Give(backlog, ordered, epoch, page.Head ?? 0))
            {
                misses = 0;
                return null;
            }

            return Missed(backlog, ordered.FirstOrDefault()?.Seq, ref misses);
        }

        if (answer.IsFinal)
        {
            return Missed(backlog, null, ref misses);
        }

        session.Fault(ChatErrorCodes.History, answer.Problem ?? "history gave no page", backlog.Conversation);
        return answer.RetryAfter ?? Wait(failures++);
    }

    /// <summary>True when the reader got an event, or has no space for the next one.</summary>
    private bool Give(Backlog backlog, List<WireFrame> items, string epoch, long head)
    {
        var given = false;
        foreach (var item in items)
        {
            if (backlog.After is not { } after || item.Seq != after.Seq + 1)
            {
                break;
            }

            if (!reader.TryAdd(ServerFrameReader.ToEvent(item, backlog.Conversation, epoch, head)))
            {
                return true;
            }

            given = true;
            backlog.Given(item.Seq!.Value);
        }

        return given;
    }

    private TimeSpan? Missed(Backlog backlog, long? next, ref int misses)
    {
        if (++misses < _options.RepairAttempts)
        {
            return Wait(misses - 1);
        }

        var to = Math.Min(backlog.Reach, next - 1 ?? backlog.Reach);
        if (reader.TryAdd(new HistoryGap(backlog.Conversation, backlog.After!.Value.Seq + 1, to)))
        {
            misses = 0;
            backlog.Given(to);
        }

        return null;
    }

    private TimeSpan Wait(int failures) => ReconnectPolicy.Backoff(failures, _options.RepairDelay, LongestWait, _options);
}
