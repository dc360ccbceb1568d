namespace AspireChat.Client;

/// <summary>
/// The server's promise for one send: the event is in the log at <paramref name="Seq"/> and will reach every member and the database.
/// </summary>
/// <param name="Conversation">Where it was sent.</param>
/// <param name="Nonce">The name that the client gave the send, so that a repeat is no second event.</param>
/// <param name="Id">The event's id, unique everywhere.</param>
/// <param name="Seq">The event's place in the conversation: 1, 2, 3, … Edits, deletions, reactions and replies name it.</param>
/// <param name="Epoch">The name of the log that the seq belongs to, which changes only if the log is rebuilt. Null only when the event's
/// own copy arrived before any frame that named the log.</param>
/// <param name="Timestamp">When the server took it, by its clock.</param>
/// <param name="Duplicate">An earlier attempt with this nonce had been accepted already, and this is its place.</param>
public sealed record SendReceipt(
    Conversation Conversation, string Nonce, string Id, long Seq, string? Epoch, DateTimeOffset Timestamp, bool Duplicate);
