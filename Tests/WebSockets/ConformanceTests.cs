namespace AspireChat.Tests.WebSockets;

/// <summary>RFC 6455 on the library alone. The same table runs against the real node in Tests/Connections/Conformance.</summary>
public sealed class ConformanceTests(FrameServer server) : IClassFixture<FrameServer>
{
    public static TheoryData<string> Names => [.. ConformanceTable.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Reader_writer_and_handshake(string name)
    {
        await using var client = await RawClient.ConnectAsync(server.Address);
        await ConformanceTable.ByName[name].RunAsync(client);
    }

    [Fact]
    public void The_table_is_large_enough() => Assert.InRange(Names.Count, 150, 1_000);
}
