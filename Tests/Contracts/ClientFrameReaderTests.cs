using System.Runtime.ExceptionServices;
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

    [Theory]
    [InlineData("\\ud83d")]
    [InlineData("\\ude00")]
    [InlineData("\\ud83dx")]
    [InlineData("\\ud83d\\n")]
    [InlineData("\\ud83d\\u0041")]
    [InlineData("\\ude00\\ud83d")]
    [InlineData("ab\\u0000")]
    [InlineData("\\u0000")]
    public void Half_a_character_and_nul_are_refused_without_an_exception(string content)
    {
        var utf8 = Encoding.UTF8.GetBytes(
            "{\"type\":\"room\",\"room\":\"lobby\",\"nonce\":\"n\",\"content\":\"" + content + "\"}");
        var (thread, thrown) = (Environment.CurrentManagedThreadId, 0);
        void Count(object? sender, FirstChanceExceptionEventArgs e) => thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;

        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            Assert.False(ClientFrameReader.TryRead(utf8, Limits, out _, out var error));
            Assert.Equal((ErrorCodes.BadRequest, "n"), (error!.Code, error.Nonce));
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }
        Assert.Equal(0, thrown);
    }

    [Theory]
    [InlineData("\\ud83d\\ude00", "😀")]
    [InlineData("\\uD83D\\uDE00\\\\u0000", "😀\\u0000")]
    [InlineData("\\\\\\ud83d\\ude00\\/", "\\😀/")]
    public void Whole_characters_are_read_however_they_are_escaped(string content, string expected)
    {
        var utf8 = Encoding.UTF8.GetBytes(
            "{\"type\":\"room\",\"room\":\"lobby\",\"nonce\":\"n\",\"content\":\"" + content + "\"}");
        Assert.True(ClientFrameReader.TryRead(utf8, Limits, out var frame, out _));
        Assert.Equal(expected, frame.Content);
    }

    [Theory]
    [InlineData("dm", null, "bob")]
    [InlineData("room", "lobby", null)]
    public void Where_room_and_to_are_both_given_the_type_says_which_counts(string type, string? room, string? to)
    {
        var utf8 = Encoding.UTF8.GetBytes("{\"type\":\"" + type + "\",\"room\":\"lobby\",\"to\":\"bob\",\"nonce\":\"n\",\"content\":\"c\"}");
        Assert.True(ClientFrameReader.TryRead(utf8, Limits, out var frame, out _));
        Assert.Equal((room, to), (frame.Room, frame.To));
    }
}
