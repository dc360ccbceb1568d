using AspireChat.ConnectionService.Connections;

namespace AspireChat.Tests.Connections;

public sealed class EventIdTests
{
    [Fact]
    public void Ids_are_of_version_7_with_their_time_in_front_and_all_different()
    {
        var now = new DateTimeOffset(2026, 11, 22, 20, 0, 0, 123, TimeSpan.Zero);

        var ids = Enumerable.Range(0, 10_000).Select(_ => EventId.Create(now)).ToList();

        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, id =>
        {
            Assert.Equal((7, true), (id.Version, id.Variant is >= 8 and <= 11));
            Assert.StartsWith(now.ToUnixTimeMilliseconds().ToString("x12"), id.ToString("N"), StringComparison.Ordinal);
        });
    }
}
