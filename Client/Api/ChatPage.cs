using System.Collections.ObjectModel;

namespace AspireChat.Client;

/// <summary>A part of a list. Immutable.</summary>
/// <param name="Items">In the order of the list. There may be fewer than asked for, also where a page follows.</param>
/// <param name="Next">Where the next page begins, for the argument <c>after</c> (of a search: <c>before</c>); null at the end.</param>
/// <typeparam name="T">What the list is of.</typeparam>
public sealed record ChatPage<T>(IReadOnlyList<T> Items, string? Next)
{
    /// <summary>How users who are named in <see cref="Items"/> are shown, by id. It has those that have a name or a picture.</summary>
    public IReadOnlyDictionary<string, ChatProfile> Profiles { get; init; } = ReadOnlyDictionary<string, ChatProfile>.Empty;
}

/// <summary>A user, and how they are shown. Immutable.</summary>
/// <param name="User">The user's id.</param>
/// <param name="Name">At most 100 characters; null: none.</param>
/// <param name="Picture">An https address; null: none.</param>
public sealed record ChatUser(string User, string? Name, string? Picture);

/// <summary>Whether a user is online. Immutable.</summary>
/// <param name="User">The user's id.</param>
/// <param name="Online">Has a connection.</param>
/// <param name="LastSeen">When the user was last connected; null: never, as far as the server knows.</param>
public sealed record UserPresence(string User, bool Online, DateTimeOffset? LastSeen);
