using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Contracts;

public sealed class ConversationKeyTests
{
    [Theory]
    [InlineData("alice", "bob")]
    [InlineData("bob", "alice")]
    public void Both_sides_of_a_direct_conversation_name_the_same_key(string one, string other)
    {
        var key = ConversationKey.Direct(one, other);

        Assert.Equal("d:alice:bob", key.Value);
        Assert.Equal(other, key.Other(one));
        Assert.Equal(one, key.Other(other));
        Assert.True(key.HasUser(one));
        Assert.False(key.HasUser("carol"));
    }

    [Fact]
    public void A_user_may_have_a_direct_conversation_with_themselves()
    {
        var key = ConversationKey.Direct("alice", "alice");

        Assert.Equal("alice", key.Other("alice"));
        Assert.True(ConversationKey.TryParse(key.Value, out var parsed));
        Assert.Equal(key, parsed);
    }

    [Theory]
    [InlineData("r:lobby", true)]
    [InlineData("d:alice:bob", true)]
    [InlineData("d:Zoe:alice", true)]
    [InlineData("d:bob:alice", false)]
    [InlineData("d:alice", false)]
    [InlineData("d:alice:bob:carol", false)]
    [InlineData("r:", false)]
    [InlineData("r:..", false)]
    [InlineData("d:a/urn:x:y~1=2", true)]
    [InlineData("d:urn:x:y~1=2/urn:x:y~1=2", true)]
    [InlineData("d:auth0|64f:a/b", true)]
    [InlineData("d:auth0|64f:a.b+c@example.com", false)]
    [InlineData("d:a.b+c@example.com:auth0|64f", true)]
    [InlineData("d:a.b+c@example.com/auth0|64f", false)]
    [InlineData("d:a/b", false)]
    [InlineData("d:a:b/a", false)]
    [InlineData("d:a/b:c/d", false)]
    [InlineData("d:/b:c", false)]
    [InlineData("d:alice:system", true)]
    [InlineData("r:a:b", false)]
    [InlineData("x:lobby", false)]
    [InlineData("", false)]
    public void Only_the_canonical_text_of_a_key_is_read_back(string text, bool valid) =>
        Assert.Equal(valid, ConversationKey.TryParse(text, out _));

    [Fact]
    public void A_key_never_changes_its_partition()
    {
        // The numbers are literals, because with another hash every stored conversation would be sought in the wrong log.
        Assert.Equal([11, 3, 4], [LogPartitions.Of("r:lobby"), LogPartitions.Of("r:general"), LogPartitions.Of("d:alice:bob")]);
        Assert.Equal("d:alice:bob", ConversationKey.Direct("bob", "alice").Value);
    }

    [Theory]
    [InlineData("auth0|64f0c2", "a.b+c@example.com")]
    [InlineData("urn:x:y~1=2", "bob")]
    [InlineData("bob", "urn:x:y~1=2")]
    [InlineData("a:b", "a:b:c")]
    [InlineData(":", ":")]
    [InlineData("a", "a:")]
    [InlineData("a:b", "c")]
    [InlineData("a", "b:c")]
    public void Both_users_of_a_key_are_read_back_whatever_their_ids_contain(string one, string other)
    {
        var key = ConversationKey.Direct(one, other);

        Assert.True(ConversationKey.TryParse(key.Value, out var parsed));
        Assert.Equal(key, parsed);
        Assert.Equal((other, one), (parsed.Other(one), parsed.Other(other)));
    }

    [Fact]
    public void No_two_pairs_of_users_share_a_key()
    {
        string[] users = ["a", "b", "c", "a:b", "b:c", "a:b:c", ":", "::", "a:", ":a", "a|b", "a+b", "a=b"];
        var pairs = users.SelectMany((one, i) => users.Skip(i).Select(other => (one, other))).ToList();

        Assert.Equal(pairs.Count, pairs.Select(pair => ConversationKey.Direct(pair.one, pair.other).Value).Distinct().Count());
    }

    [Fact]
    public void Conversations_spread_over_all_partitions()
    {
        var counts = new int[LogPartitions.Count];
        for (var i = 0; i < 16_000; i++)
        {
            counts[ConversationKey.Room($"room-{i}").Partition]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 700, 1_300));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-z_0.9", true)]
    [InlineData("0b6f2c1e-7d0a-4f43-9a55-6c1d2e3f4a5b", true)]
    [InlineData("...", true)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a:b", false)]
    [InlineData("é", false)]
    [InlineData("a\n", false)]
    public void Ids_of_rooms_follow_the_rule_of_the_protocol(string id, bool valid) => Assert.Equal(valid, RoomIds.IsValid(id));

    [Theory]
    [InlineData("a", true)]
    [InlineData("auth0|64f0c2", true)]
    [InlineData("a.b+c@example.com", true)]
    [InlineData("urn:x:y~1=2", true)]
    [InlineData(":+", true)]
    [InlineData("System", true)]
    [InlineData("system", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a*", false)]
    [InlineData("a%7C", false)]
    [InlineData("a\"", false)]
    [InlineData("a{", false)]
    [InlineData("é", false)]
    public void Ids_of_users_follow_the_rule_of_the_product(string id, bool valid) => Assert.Equal(valid, UserIds.IsValid(id));

    [Theory]
    [InlineData(64, true, true)]
    [InlineData(65, false, true)]
    [InlineData(128, false, true)]
    [InlineData(129, false, false)]
    public void Ids_of_rooms_have_at_most_64_characters_those_of_users_128(int length, bool room, bool user)
    {
        var id = new string('x', length);

        Assert.Equal((room, user), (RoomIds.IsValid(id), UserIds.IsValid(id)));
    }
}
