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
}
