using Npgsql;

namespace AspireChat.PersistenceService.Migrations;

/// <summary>
/// The database as its owner signs in, for the migrations alone: <c>ConnectionStrings:chatdb_owner</c>. Where that is missing, the one role
/// of <c>ConnectionStrings:chatdb</c> does everything. No connection outlives its use. Thread-safe.
/// </summary>
internal sealed class OwnerDatabase(IConfiguration configuration) : IAsyncDisposable
{
    private readonly Lazy<NpgsqlDataSource> _source = new(() => NpgsqlDataSource.Create(AddressOf(configuration)));

    public NpgsqlDataSource Source => _source.Value;

    /// <summary>Where it is, and who signs in.</summary>
    public NpgsqlConnectionStringBuilder Address => AddressOf(configuration);

    public ValueTask DisposeAsync() => _source.IsValueCreated ? _source.Value.DisposeAsync() : ValueTask.CompletedTask;

    private static NpgsqlConnectionStringBuilder AddressOf(IConfiguration configuration) =>
        new(configuration.GetConnectionString("chatdb_owner") ?? configuration.GetConnectionString("chatdb")) { Pooling = false };
}
