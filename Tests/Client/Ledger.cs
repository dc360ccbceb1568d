using AspireChat.Client;

namespace AspireChat.Tests.Client;

/// <summary>What one client of a fault run sent and got.</summary>
internal sealed record Transcript(string User, IReadOnlyList<ChatItem> Items, IReadOnlyList<SendReceipt> Sends);

/// <summary>
/// A conversation's logs on the server: for each epoch the ids in the order of seq. The last epoch is the present one.
/// </summary>
internal sealed record LogRecordOfRun(
    Conversation Conversation, string Epoch, IReadOnlyDictionary<string, IReadOnlyList<string>> Ids, IReadOnlyList<string> Nonces);

/// <summary>
/// Compares what clients got with what the server had. No event may be lost, doubled, out of order or foreign. No epoch may change
/// silently, and no gap may be reported where history has the events. Every acknowledgement must be true, and a client's events must be in
/// the order of its calls.
/// </summary>
internal static class Ledger
{
    public static IReadOnlyList<string> Violations(Transcript transcript, Func<Conversation, LogRecordOfRun> logOf)
    {
        var violations = new List<string>();
        foreach (var conversation in transcript.Items.OfType<ConversationItem>().Select(item => item.Conversation).Distinct())
        {
            var items = transcript.Items.OfType<ConversationItem>().Where(item => item.Conversation == conversation);
            violations.AddRange(Follow(items, logOf(conversation)).Select(violation => $"{transcript.User} {conversation}: {violation}"));
        }
        foreach (var sends in transcript.Sends.GroupBy(send => send.Conversation))
        {
            violations.AddRange(Sent(sends, logOf(sends.Key)).Select(violation => $"{transcript.User} {sends.Key}: {violation}"));
        }

        return violations;
    }

    private static IEnumerable<string> Follow(IEnumerable<ConversationItem> items, LogRecordOfRun log)
    {
        string? epoch = null;
        long? last = log.Conversation.IsRoom ? null : 0;
        foreach (var item in items)
        {
            switch (item)
            {
                case RoomJoined joined when last is null:
                    (epoch, last) = (joined.Epoch, joined.Head);
                    break;
                case HistoryGap gap:
                    yield return $"a gap {gap.From}..{gap.To} that history has";
                    last = gap.To;
                    break;
                case ConversationReset reloaded:
                    if (reloaded.Epoch == epoch)
                    {
                        yield return $"reloaded at {reloaded.Head} although the epoch is still {epoch}";
                    }

                    (epoch, last) = (reloaded.Epoch, reloaded.Head);
                    break;
                case ChatEvent e:
                    if (e.Seq != last + 1)
                    {
                        yield return $"seq {e.Seq} after {last}";
                    }

                    if (e.Epoch is not null && e.Epoch != (epoch ??= e.Epoch))
                    {
                        yield return $"seq {e.Seq} is of epoch {e.Epoch}, and nothing said that {epoch} ended";
                    }

                    if (e.Epoch is not null
                        && (!log.Ids.TryGetValue(e.Epoch, out var ids) || ids.ElementAtOrDefault((int)e.Seq - 1) != e.Id))
                    {
                        yield return $"seq {e.Seq} of {e.Epoch} is another event on the server";
                    }

                    last = e.Seq;
                    break;
            }
        }
        if (last != log.Ids[log.Epoch].Count || (epoch is not null && epoch != log.Epoch))
        {
            yield return $"ended at {last} of {epoch}, the server at {log.Ids[log.Epoch].Count} of {log.Epoch}";
        }
    }

    private static IEnumerable<string> Sent(IEnumerable<SendReceipt> sends, LogRecordOfRun log)
    {
        var reached = new Dictionary<string, long>();
        foreach (var send in sends)
        {
            var epoch = send.Epoch ?? log.Epoch;
            if (!log.Ids.TryGetValue(epoch, out var ids) || ids.ElementAtOrDefault((int)send.Seq - 1) != send.Id)
            {
                yield return $"acknowledged at {send.Seq} of {send.Epoch}, and not there on the server";
            }

            if (log.Nonces.Count(nonce => nonce == send.Nonce) is var times && (times > 1 || (times == 0 && epoch == log.Epoch)))
            {
                yield return $"the send at {send.Seq} is there {times} times";
            }

            if (send.Seq <= reached.GetValueOrDefault(epoch))
            {
                yield return $"the send at {send.Seq} was called after one at {reached[epoch]}";
            }

            reached[epoch] = send.Seq;
        }
    }
}
