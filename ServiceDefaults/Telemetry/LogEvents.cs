namespace AspireChat.ServiceDefaults;

/// <summary>
/// The one table of event id ranges: a log event's id is its range plus a small number that never changes once released, so that
/// alerts can be written against it.
/// </summary>
public static class LogEvents
{
    /// <summary>1000–1099: ServiceDefaults, except 1020–1029, which WebSockets has: it refers to no table of ours.</summary>
    public const int Defaults = 1000;

    /// <summary>1100–1999: Gateway.</summary>
    public const int Gateway = 1100;

    /// <summary>2000–2999: ConnectionService.</summary>
    public const int Connection = 2000;

    /// <summary>3000–3999: PresenceService.</summary>
    public const int Presence = 3000;

    /// <summary>4000–4999: PersistenceService.</summary>
    public const int Persistence = 4000;

    // 5000–5999: Client, which refers to no table of ours.
}
