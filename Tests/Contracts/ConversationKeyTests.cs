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
    [InlineData("x:lobby", false)]
    [InlineData("", false)]
    public void Only_the_canonical_text_of_a_key_is_read_back(string text, bool valid) =>
        Assert.Equal(valid, ConversationKey.TryParse(text, out _));

    [Fact]
    public void A_key_never_changes_its_partition()
    {
        // The numbers are literals, because with another hash every stored conversation would be sought in the wrong log.
        Assert.Equal([11, 3, 4], [LogPartitions.Of("r:lobby"), LogPartitions.Of("r:general"), LogPartitions.Of("d:alice:bob")]);
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
    public void Identifiers_follow_the_rule_of_the_protocol(string id, bool valid) => Assert.Equal(valid, Identifiers.IsValid(id));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Identifiers_have_at_most_64_characters(int length, bool valid) => Assert.Equal(valid, Identifiers.IsValid(new string('x', length)));
}
