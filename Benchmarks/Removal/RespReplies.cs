using System.Buffers;
using System.Buffers.Text;

namespace AspireChat.Benchmarks.Removal;

/// <summary>Cuts what Redis sends into replies (RESP 2 and 3), and leaves out the messages of pub/sub. Not thread-safe.</summary>
internal sealed class RespReplies
{
    private readonly ArrayBufferWriter<byte> _whole = new();
    private byte[] _rest = [];

    /// <summary>The whole replies of what came until now; the beginning of the next one is kept.</summary>
    /// <param name="withoutMessages">False: messages of pub/sub pass too.</param>
    /// <param name="taken">Messages that were left out.</param>
    public ReadOnlyMemory<byte> Take(ReadOnlySpan<byte> bytes, bool withoutMessages, out int taken)
    {
        _whole.ResetWrittenCount();
        taken = 0;
        ReadOnlySpan<byte> all = _rest.Length == 0 ? bytes : [.. _rest, .. bytes];
        var at = 0;
        while (EndOf(all, at) is > 0 and var end)
        {
            if (withoutMessages && IsMessage(all[at..end]))
            {
                taken++;
            }
            else
            {
                _whole.Write(all[at..end]);
            }

            at = end;
        }

        _rest = all[at..].ToArray();
        return _whole.WrittenMemory;
    }

    private static bool IsMessage(ReadOnlySpan<byte> reply) =>
        reply.StartsWith("*3\r\n$7\r\nmessage\r\n"u8) || reply.StartsWith(">3\r\n$7\r\nmessage\r\n"u8);

    /// <summary>Where the reply that begins at a place ends; 0: not all of it has come.</summary>
    private static int EndOf(ReadOnlySpan<byte> bytes, int at)
    {
        var line = at < bytes.Length ? bytes[at..].IndexOf("\r\n"u8) : -1;
        if (line < 0)
        {
            return 0;
        }

        var next = at + line + 2;
        if (bytes[at] is not ((byte)'$' or (byte)'*' or (byte)'>' or (byte)'~' or (byte)'%' or (byte)'=' or (byte)'!')
            || !Utf8Parser.TryParse(bytes[(at + 1)..(at + line)], out int length, out _) || length < 0)
        {
            return next;
        }

        if (bytes[at] is (byte)'$' or (byte)'=' or (byte)'!')
        {
            return next + length + 2 <= bytes.Length ? next + length + 2 : 0;
        }

        for (var parts = bytes[at] == (byte)'%' ? 2 * length : length; parts > 0; parts--)
        {
            next = EndOf(bytes, next);
            if (next == 0)
            {
                return 0;
            }
        }

        return next;
    }
}
