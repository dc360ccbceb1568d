namespace AspireChat.Client;

/// <summary>How a user is shown. At least one of both is there. Immutable.</summary>
/// <param name="Name">At most 100 characters; null: none.</param>
/// <param name="Picture">An https URL of at most 500 characters; null: none.</param>
public sealed record ChatProfile(string? Name, string? Picture);
