using AspireChat.Chaos.Fuzzing;
using AspireChat.Tests.Gateway;

namespace AspireChat.Tests.Fuzzing;

/// <summary>
/// The short form of <c>Chaos -- fuzz</c> (docs/chaos.md): the same inputs each time. The seeds are those that found something, and a few more.
/// </summary>
public sealed class FuzzTests
{
    private const int Inputs = 15_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Whatever_bytes_come_frames_are_read_the_same_in_one_piece_and_in_many(int seed) =>
        new FrameReaderFuzz().RunAsync(seed, Inputs, CancellationToken.None);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(20469823)]
    public Task Whatever_text_comes_it_is_a_frame_that_can_be_written_anew_or_an_error_that_can_be_answered(int seed) =>
        new ClientFrameFuzz().RunAsync(seed, 2 * Inputs, CancellationToken.None);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Whatever_headers_a_handshake_has_the_replica_gets_one_request_and_no_line_of_the_client_s(int seed) =>
        new TunnelRequestFuzz().RunAsync(seed, Inputs, CancellationToken.None);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Whatever_a_replica_answers_its_head_is_read_without_fault(int seed) =>
        new TunnelAnswerFuzz().RunAsync(seed, 2 * Inputs, CancellationToken.None);

    [Fact]
    public async Task Whatever_comes_on_a_connection_the_gateway_answers_no_5xx_and_goes_on()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new() { ["Gateway:RateLimits:Enabled"] = "false" });

        var wire = new WireFuzz(gateway.Address, TestTokens.For("alice"));
        await wire.RunAsync(seed: 1, inputs: 1_000, CancellationToken.None);
        Assert.Equal(0, wire.Unavailable);
    }

    [Fact]
    public async Task A_reader_that_breaks_a_promise_is_found_and_its_input_is_told()
    {
        var found = await Assert.ThrowsAsync<FuzzException>(() => new Broken().RunAsync(seed: 1, Inputs, CancellationToken.None));

        Assert.Contains("seed 1", found.Message, StringComparison.Ordinal);
        Assert.Contains("it has a zero", found.Message, StringComparison.Ordinal);
    }

    private sealed class Broken : FuzzTarget
    {
        public override string Name => "broken";

        public override IReadOnlyList<byte[]> Corpus { get; } = ["abc"u8.ToArray()];

        public override Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken)
        {
            Must(!input.Contains((byte)0), "it has a zero");
            return Task.CompletedTask;
        }
    }
}
