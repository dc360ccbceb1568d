using System.Diagnostics;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// Group commit: batches that come while a transaction is under way share the next one. Most of the cost of a small transaction is the
/// commit itself, so partitions with little to write must not each have their own. Thread-safe.
/// </summary>
internal sealed class GroupCommit(BatchWriter writer, IOptions<PersistenceOptions> options)
{
    private readonly PersistenceOptions _options = options.Value;
    private readonly Lock _gate = new();
    private readonly Queue<Member> _waiting = new();

    /// <summary>Records in <see cref="_waiting"/>.</summary>
    private int _records;

    private int _transactions;

    /// <summary>Returns when the batch is committed, with those of its entries that contradict what PostgreSQL has.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up. The batch may still be committed, which is harmless.</exception>
    public async Task<IReadOnlyList<Conflict>> WriteAsync(PartitionBatch batch, CancellationToken cancellationToken)
    {
        var member = new Member(batch);
        bool start;
        lock (_gate)
        {
            _waiting.Enqueue(member);
            _records += batch.Entries.Count;
            // A second transaction beside the first pays only when there is much to write.
            start = _transactions == 0 || (_records >= _options.BatchSize / 2 && _transactions < _options.Writers);
            if (start)
            {
                _transactions++;
            }
        }
        if (start)
        {
            _ = RunAsync();
        }

        return await member.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync()
    {
        // Batches that were read at the same moment are enqueued first, and share the transaction.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        // The first batch may have come with an HTTP request. The transaction carries others' batches too, so it is no part of that
        // request's trace.
        Activity.Current = null;
        while (TakeGroup() is { } group)
        {
            await CommitAsync(group);
        }
    }

    private List<Member>? TakeGroup()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _transactions--;
                return null;
            }
            var group = new List<Member>();
            for (var records = 0; records < _options.BatchSize && _waiting.TryDequeue(out var member);)
            {
                group.Add(member);
                records += member.Batch.Entries.Count;
                _records -= member.Batch.Entries.Count;
            }
            return group;
        }
    }

    private async Task CommitAsync(List<Member> group)
    {
        PartitionBatch[] batches = [.. group.Select(member => member.Batch)];
        try
        {
            var conflicts = await WriteAsync(batches);
            foreach (var member in group)
            {
                member.Done.SetResult(conflicts.Count == 0 ? [] : member.OwnOf(conflicts));
            }
        }
        catch (Exception e) when (group.Count > 1 && DatabaseFaults.IsAboutData(e))
        {
            // One batch of the group is to blame. Alone, the others are written, and the partition of the bad one takes it apart.
            foreach (var member in group)
            {
                await CommitAsync([member]);
            }
        }
        catch (Exception e)
        {
            foreach (var member in group)
            {
                member.Done.TrySetException(e);
            }
        }
    }

    private async Task<IReadOnlyList<Conflict>> WriteAsync(PartitionBatch[] batches)
    {
        using var spans = CommitSpans.Start(batches);
        try
        {
            var conflicts = await writer.WriteAsync(batches, CancellationToken.None);
            spans?.Committed();
            return conflicts;
        }
        catch (Exception e)
        {
            spans?.Failed(e);
            throw;
        }
    }

    private sealed class Member(PartitionBatch batch)
    {
        public PartitionBatch Batch => batch;

        public TaskCompletionSource<IReadOnlyList<Conflict>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<Conflict> OwnOf(IReadOnlyList<Conflict> conflicts)
        {
            var own = new HashSet<LogEntry>(batch.Entries, ReferenceEqualityComparer.Instance);
            return [.. conflicts.Where(conflict => own.Contains(conflict.Entry))];
        }
    }
}
