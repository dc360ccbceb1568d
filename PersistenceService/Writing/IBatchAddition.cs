using Npgsql;

namespace AspireChat.PersistenceService.Writing;

/// <summary>Writes more in the transaction of a batch, in the statements' round trip. Thread-safe.</summary>
internal interface IBatchAddition
{
    /// <summary>
    /// What to run behind the conversations' heads, which lock them, and before events and members are written: what these tables have then is
    /// what was there before.
    /// </summary>
    /// <param name="tolerant">
    /// Some of the entries may be there already. False: a statement that follows fails when one of the events is.
    /// </param>
    IReadOnlyList<NpgsqlBatchCommand> CommandsFor(IReadOnlyList<PartitionBatch> batches, bool tolerant);

    /// <summary>The transaction is committed.</summary>
    void Committed(IReadOnlyList<PartitionBatch> batches);
}
