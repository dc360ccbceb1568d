using System.Text;
using AspireChat.Contracts;

namespace AspireChat.Tests.Contracts;

public sealed class KnownIdentifiersTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("lobby")]
    [InlineData("room.7_B-9")]
    [InlineData("019aa000-0000-7000-8000-000000000001")]
    public void An_identifier_seen_again_is_the_same_string(string name)
    {
        Assert.True(KnownIdentifiers.Rooms.TryGet(Encoding.UTF8.GetBytes(name), out var first));
        Assert.True(KnownIdentifiers.Rooms.TryGet(Encoding.UTF8.GetBytes(name), out var second));

        Assert.Equal(name, first);
        Assert.Same(first, second);
    }

    [Fact]
    public void Identifiers_that_share_a_slot_of_the_table_are_not_mixed_up()
    {
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 50_000; i++)
            {
                Assert.True(KnownIdentifiers.Rooms.TryGet(Encoding.UTF8.GetBytes($"user-{i}"), out var known));
                Assert.Equal($"user-{i}", known);
            }
        }
    }

    [Fact]
    public void A_text_that_is_no_identifier_is_refused()
    {
        string[] texts = ["", ".", "..", "a b", "a:b", "ä", "a\0", "\u007f", new('x', 65), new('x', 4096)];
        Assert.All(texts, text => Assert.False(KnownIdentifiers.Rooms.TryGet(Encoding.UTF8.GetBytes(text), out _), text));
        Assert.All(Enumerable.Range(0, 256).Select(value => (byte)value), value =>
        {
            Assert.Equal(RoomIds.IsValid([(char)value]), KnownIdentifiers.Rooms.TryGet([value], out _));
            Assert.Equal(UserIds.IsSender([(char)value]), KnownIdentifiers.Users.TryGet([value], out _));
        });
    }

    [Fact]
    public void What_is_a_users_id_only_is_no_rooms_although_it_was_seen_before()
    {
        var id = "auth0|64f0c2"u8.ToArray();

        Assert.True(KnownIdentifiers.Users.TryGet(id, out _));
        Assert.False(KnownIdentifiers.Rooms.TryGet(id, out _));
    }
}
