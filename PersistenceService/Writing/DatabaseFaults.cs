using System.Net.Sockets;
using Npgsql;

namespace AspireChat.PersistenceService.Writing;

internal static class DatabaseFaults
{
    /// <summary>
    /// PostgreSQL could not be asked, or could not answer. Npgsql lets a failed name resolution through as it is, and a deployment that is
    /// starting has names that do not resolve yet.
    /// </summary>
    public static bool Is(Exception e) => e is NpgsqlException or SocketException or TimeoutException or IOException;

    /// <summary>
    /// Classes 22 (data), 23 (integrity) and 54 (a value too large for a limit, such as an index row) stay wrong however often they are
    /// tried. Everything else, a missing table or a full disk included, is a fault of the server: there no entry may be given up.
    /// </summary>
    public static bool IsAboutData(Exception e) => e switch
    {
        PostgresException refused => refused.SqlState.StartsWith("22", StringComparison.Ordinal)
            || refused.SqlState.StartsWith("23", StringComparison.Ordinal)
            || refused.SqlState.StartsWith("54", StringComparison.Ordinal),
        _ => e is ArgumentException or OverflowException,
    };
}
