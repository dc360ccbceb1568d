using System.Text;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Contracts;

public sealed class ClientFrameReaderTests
{
    private const int Frames = 1_000;

    /// <summary>The bytes of a string: its header, and two for each character.</summary>
    private const int Content = 24 + 2 * 200;

    private static readonly FrameLimits Limits = new();

    [Theory]
    [InlineData("""{"type":"typing","room":"lobby","active":false}""", 0)]
    [InlineData("""{"type":"read","to":"bob","seq":17}""", 0)]
    [InlineData("""{"type":"room","room":"lobby","content":"CONTENT","nonce":"0123456789abcdef"}""", Content + 24 + 2 * 16)]
    [InlineData("""{"type":"join","room":"lobby","since":17,"ref":"r-1"}""", 40)]
    public void A_usual_frame_allocates_the_strings_that_are_kept_of_it_and_nothing_else(string text, int bytes)
    {
        var utf8 = Encoding.UTF8.GetBytes(text.Replace("CONTENT", new string('x', 200), StringComparison.Ordinal));
        Assert.True(ClientFrameReader.TryRead(utf8, Limits, out _, out _));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Frames; i++)
        {
            ClientFrameReader.TryRead(utf8, Limits, out _, out _);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // The runtime may compile in between.
        Assert.InRange(allocated / Frames, 0, bytes + 8);
    }

    [Theory]
    [InlineData("\"r-1\"")]
    [InlineData("\"\\u00e4\\n\"")]
    [InlineData("\"ä€😀\"")]
    [InlineData("12.50")]
    [InlineData("\"\"")]
    public void A_ref_is_given_back_as_it_was_written(string reference)
    {
        var utf8 = Encoding.UTF8.GetBytes($$"""{"type":"ping", "ref" : {{reference}} }""");

        Assert.True(ClientFrameReader.TryRead(utf8, Limits, out var frame, out var error), error?.Message);

        Assert.Equal(reference, frame.Ref);
    }

    [Theory]
    [InlineData("""{"type":"room","type":null}""", "type is missing")]
    [InlineData("""{"type":"nothing","type":"ping"}""", null)]
    [InlineData("""{"type":"ping","type":"nothing"}""", "type 'nothing' is not known")]
    [InlineData("""{"\u0074ype":"p\u0069ng"}""", null)]
    public void The_last_of_repeated_types_counts_and_escapes_are_decoded(string text, string? message)
    {
        ClientFrameReader.TryRead(Encoding.UTF8.GetBytes(text), Limits, out _, out var error);

        Assert.Equal(message, error?.Message);
    }
}
