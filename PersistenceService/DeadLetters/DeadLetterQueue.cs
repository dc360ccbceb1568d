using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Conversations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.DeadLetters;

/// <summary>A log entry that PostgreSQL refused.</summary>
/// <param name="Id">Names it among the dead letters of its partition.</param>
/// <param name="Why">PostgreSQL's error.</param>
internal sealed record DeadLetter(int Partition, string Id, string Why, LogEntry Entry);

/// <summary>
/// The dead letters of all partitions, for an operator: to look at, to try again once the cause is gone, or to give up. An event among them
/// holds back its conversation's durable mark, so that the tail keeps it readable. Thread-safe.
/// </summary>
internal sealed class DeadLetterQueue(IConnectionMultiplexer redis, PartitionLog log, LogPersister persister, ConversationTable table)
{
    private IDatabase Database => redis.GetDatabase();

    /// <summary>The oldest of each partition, at most <paramref name="count"/> a partition.</summary>
    public async Task<List<DeadLetter>> ListAsync(int count)
    {
        var partitions = await Task.WhenAll(Enumerable.Range(0, LogPartitions.Count).Select(partition => ListAsync(partition, count)));
        return partitions.SelectMany(letters => letters).ToList();
    }

    /// <summary>
    /// Tries all dead letters again, or the one with this id. What PostgreSQL takes is removed, what it refuses again stays.
    /// Returns (stored, still refused).
    /// </summary>
    public async Task<(int Stored, int Refused)> ReplayAsync(string? id, CancellationToken cancellationToken)
    {
        int stored = 0, refused = 0;
        foreach (var letter in (await ListAsync(int.MaxValue)).Where(letter => id is null || letter.Id == id))
        {
            var result = await persister.PersistAsync(
                letter.Partition, [letter.Entry], advance: false, cancellationToken, cancellationToken);
            if (result.Rejected.Count > 0)
            {
                refused++;
                continue;
            }
            stored++;
            await RemoveAsync(letter);
        }
        return (stored, refused);
    }

    /// <summary>Gives a dead letter up: the event will not be in the history. False when there is none with this id.</summary>
    public async Task<bool> DiscardAsync(string id)
    {
        var found = (await ListAsync(int.MaxValue)).FirstOrDefault(letter => letter.Id == id);
        if (found is null)
        {
            return false;
        }

        await RemoveAsync(found);
        return true;
    }

    private async Task<List<DeadLetter>> ListAsync(int partition, int count)
    {
        var entries = await Database.StreamRangeAsync(RedisKeys.DeadLetters(partition), count: count == int.MaxValue ? null : count);
        return entries.Select(letter =>
        {
            var (entry, why) = LogEntry.ReadDeadLetter(letter);
            return new DeadLetter(partition, letter.Id.ToString(), why, entry);
        }).ToList();
    }

    /// <summary>
    /// Removes the letter and lets the conversation's durable mark go on: to the next event that is still held, else to what is committed.
    /// </summary>
    private async Task RemoveAsync(DeadLetter letter)
    {
        await Database.StreamDeleteAsync(RedisKeys.DeadLetters(letter.Partition), [letter.Id]);
        if (!ConversationKey.TryParse(letter.Entry.Conversation, out var conversation))
        {
            return;
        }

        var others = (await ListAsync(letter.Partition, int.MaxValue))
            .Where(other => other.Entry.Conversation == conversation.Value && other.Entry.Seq > 0)
            .Select(other => other.Entry.Seq)
            .ToList();
        var key = RedisKeys.Conversation(conversation);
        if (others.Count > 0)
        {
            await Database.HashSetAsync(key, ConversationFields.Hold, others.Min());
        }
        else
        {
            await Database.HashDeleteAsync(key, ConversationFields.Hold);
        }

        var head = await table.ReadHeadAsync(conversation, CancellationToken.None);
        await Task.WhenAll(log.MarkDurable(letter.Partition, [new(conversation, head)]));
    }
}
