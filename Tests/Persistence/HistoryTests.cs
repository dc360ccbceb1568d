using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class HistoryTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task Every_acknowledged_event_is_in_the_history_at_once()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        for (var i = 1; i <= 30; i++)
        {
            var ack = await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", $"text {i}"));
            var page = await service.GetJsonAsync("/api/rooms/lobby/messages?limit=3");
            Assert.Equal(i, page.GetProperty("head").GetInt64());
            var first = page.GetProperty("items")[0];
            Assert.Equal(i, first.GetProperty("seq").GetInt64());
            Assert.Equal($"text {i}", first.GetProperty("content").GetString());
            Assert.Equal(ack.Epoch, page.GetProperty("epoch").GetString());
        }
        await world.DurableAsync(Lobby, 30);
        Assert.Equal(30, await world.QueryAsync<long>("SELECT count(*) FROM events"));
    }
}
