namespace AspireChat.Client;

/// <summary>
/// The server's promise for one send: the event is in the log at <paramref name="Seq"/> and will reach every member and the database.
/// </summary>
/// <param name="Epoch">Null only when the event's own copy arrived before any frame that named the log.</param>
/// <param name="Duplicate">An earlier attempt with this nonce had been accepted already, and this is its place.</param>
public sealed record SendReceipt(
    Conversation Conversation, string Nonce, string Id, long Seq, string? Epoch, DateTimeOffset Timestamp, bool Duplicate);
