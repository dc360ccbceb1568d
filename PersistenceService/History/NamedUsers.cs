using System.Text.Json;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.History;

/// <summary>
/// The users whom an answer names, and their <c>profiles</c> behind its items: one pipelined read of Redis for all of them
/// (<see cref="StoredProfiles"/>). Names are a courtesy: without Redis the answer comes without them. Belongs to one answer.
/// </summary>
internal sealed class NamedUsers(IConnectionMultiplexer redis, TimeProvider time)
{
    /// <summary>Profiles of one answer at most; a page of 200 events names hundreds of users, with reactions it could be many thousands.</summary>
    public const int Most = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly HashSet<string> _users = new(StringComparer.Ordinal);

    public void Add(string user)
    {
        if (_users.Count < Most)
        {
            _users.Add(user);
        }
    }

    /// <summary>Whoever the event names: the sender, the addressee, and those who reacted.</summary>
    public void Add(HistoryItem item)
    {
        Add(item.Event);
        foreach (var user in item.Reacted)
        {
            Add(user);
        }
    }

    public void Add(ConversationEvent e)
    {
        Add(e.From);
        if (!e.Conversation.IsRoom)
        {
            Add(e.Conversation.Other(e.From));
        }
    }

    /// <summary>Writes <c>profiles</c>, a map from each of the users who has a profile to it.</summary>
    public async Task WriteAsync(Utf8JsonWriter json)
    {
        json.WriteStartObject("profiles"u8);
        try
        {
            var profiles = await StoredProfiles.ReadAsync(redis.GetDatabase(), _users).WaitAsync(Patience, time);
            foreach (var (user, profile) in profiles)
            {
                json.WritePropertyName(user);
                json.WriteRawValue(profile.Text, skipInputValidation: true);
            }
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            // Without them, then.
        }
        json.WriteEndObject();
    }
}
