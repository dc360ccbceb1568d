using System.Text;
using static AspireChat.Tests.WebSockets.ClientFrames;
using static AspireChat.Tests.WebSockets.ConformanceCase;

namespace AspireChat.Tests.WebSockets;

/// <summary>What RFC 6455 demands of a server, section by section, and the size limits of this system's protocol.</summary>
internal static class ConformanceTable
{
    private static readonly byte[] Ordinary = Message("r");

    public static IReadOnlyDictionary<string, ConformanceCase> ByName { get; } = new IEnumerable<ConformanceCase>[]
    {
        Lengths(), Packets(), Masks(), ReservedBits(), Opcodes(), Pings(), Fragments(), Utf8(), CloseHandshake(), Limits(),
    }.SelectMany(cases => cases).ToDictionary(each => each.Name);

    // §5.2: the three forms of the payload length.
    private static IEnumerable<ConformanceCase> Lengths()
    {
        foreach (var bytes in (int[])[50, 124, 125, 126, 127, 128, 255, 256, 257, 1_023, 4_095, 4_096, 4_097, 8_192, 16_384, 32_767,
            32_768])
        {
            yield return Accepts($"length {bytes}", Text(Message("r", bytes)));
        }

        foreach (var (bytes, form) in ((int, int)[])[(50, 2), (50, 8), (125, 2), (125, 8), (126, 8), (4_096, 8), (32_768, 8)])
        {
            yield return Accepts($"length {bytes} in {form} bytes", Frame(TextOpcode, Message("r", bytes), lengthBytes: form));
        }

        foreach (var top in (byte[])[0x80, 0xFF])
        {
            yield return Closes($"length with the top bit set {top:X2}", 1002, [0x81, 0xFF, top, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5]);
        }

        yield return Answers("no payload is a message too", ["error bad_request"], Text(""));
    }

    // TCP keeps no boundaries: a frame may come in several packets, and a packet may have several frames.
    private static IEnumerable<ConformanceCase> Packets()
    {
        var frame = Text(Message("r", 300));
        foreach (var at in (int[])[1, 2, 3, 4, 5, 7, 8, 9, 100, 307])
        {
            yield return Accepts($"cut after {at} bytes", frame[..at], frame[at..]);
        }

        yield return Accepts("byte by byte", Each(Text(Ordinary)));
        yield return Accepts("byte by byte with a long length", Each(Frame(TextOpcode, Ordinary, lengthBytes: 8)));
        yield return Answers("two in one packet", ["pong a", "pong b"], Join(Text(Message("a")), Text(Message("b"))));
        yield return Answers("one and a half in one packet", ["pong a", "pong b"],
            Join(Text(Message("a")), Text(Message("b"))[..20]), Text(Message("b"))[20..]);
        yield return Answers("a hundred in one packet", [.. Enumerable.Range(0, 100).Select(i => $"pong {i}")],
            Join([.. Enumerable.Range(0, 100).Select(i => Text(Message($"{i}")))]));
        yield return Answers("large ones in one packet", [.. Enumerable.Range(0, 20).Select(i => $"pong {i}")],
            Join([.. Enumerable.Range(0, 20).Select(i => Text(Message($"{i}", 10_000 + i)))]));
    }

    // §5.3: a client masks its frames, with any key.
    private static IEnumerable<ConformanceCase> Masks()
    {
        foreach (var mask in (byte[][])[[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 2, 3, 4], [0, 0, 0, 1], [0x80, 0, 0, 0]])
        {
            yield return Accepts($"key {Convert.ToHexString(mask)}", Frame(TextOpcode, Ordinary, mask: mask));
        }

        for (var extra = 0; extra < 8; extra++)
        {
            yield return Accepts($"payload of 64 and {extra} bytes", Text(Message("r", 64 + extra)));
        }

        var frame = Frame(TextOpcode, Message("r", 200), mask: [9, 8, 7, 6]);
        for (var at = 1; at <= 8; at++)
        {
            yield return Accepts($"key goes on after a cut at payload byte {at}", frame[..(8 + at)], frame[(8 + at)..]);
        }

        foreach (var opcode in (int[])[TextOpcode, BinaryOpcode, CloseOpcode, PingOpcode, PongOpcode])
        {
            yield return Closes($"opcode {opcode:X} without a mask", 1002, Frame(opcode, [0x03, 0xE8], mask: [])).ButNotByTheFramework();
        }

        yield return Closes("continuation without a mask", 1002, Text("{", final: false), Frame(Continuation, [0x7D], mask: []))
            .ButNotByTheFramework();
        yield return Closes("no payload without a mask", 1002, Frame(TextOpcode, [], mask: [])).ButNotByTheFramework();
    }

    // §5.2: no extension was agreed on, so RSV1 to RSV3 must be zero.
    private static IEnumerable<ConformanceCase> ReservedBits()
    {
        for (var bits = 1; bits <= 7; bits++)
        {
            foreach (var opcode in (int[])[TextOpcode, PingOpcode, CloseOpcode])
            {
                yield return Closes($"reserved bits {bits} with opcode {opcode:X}", 1002, Frame(opcode, [0x03, 0xE8], reserved: bits));
            }

            yield return Closes($"reserved bits {bits} in a continuation", 1002, Text("{", final: false), Frame(Continuation, [0x7D],
                reserved: bits));
        }
    }

    // §5.2: the other opcodes are reserved.
    private static IEnumerable<ConformanceCase> Opcodes()
    {
        foreach (var opcode in (int[])[3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF])
        {
            yield return Closes($"opcode {opcode:X}", 1002, Frame(opcode, []));
            yield return Closes($"opcode {opcode:X} with a payload", 1002, Frame(opcode, Ordinary));
            yield return Closes($"opcode {opcode:X} within a message", 1002, Text("{", final: false), Frame(opcode, [1]));
        }
    }

    // §5.5: pings, pongs, and the limits of control frames.
    private static IEnumerable<ConformanceCase> Pings()
    {
        yield return Pong("ping without a payload", [], Ping());
        foreach (var bytes in (int[])[1, 2, 7, 124, 125])
        {
            yield return Pong($"ping of {bytes} bytes", new byte[bytes].Select((_, i) => (byte)(i + 1)).ToArray(),
                Ping([.. new byte[bytes].Select((_, i) => (byte)(i + 1))]));
        }

        yield return Pong("ping that is no text", [0xFF, 0xFE, 0x00, 0xC0], Ping(0xFF, 0xFE, 0x00, 0xC0));
        yield return Pong("ping byte by byte", [1, 2, 3], Each(Ping(1, 2, 3)));
        yield return new("ping between messages", [Text(Message("a")), Ping(7), Text(Message("b"))], ["pong a", "pong b"], [[7]], []);
        yield return new("ping between fragments", [Text(Ordinary[..9], final: false), Ping(7), More(Ordinary[9..])], ["pong r"],
            [[7]], []);
        yield return new("ping between fragments in one packet", [Join(Text(Ordinary[..9], final: false), Ping(7),
            More(Ordinary[9..]))], ["pong r"], [[7]], []);
        yield return new("pings in one packet", [Join([.. Enumerable.Range(0, 10).Select(i => Ping((byte)i))])], [],
            [.. Enumerable.Range(0, 10).Select(i => new[] { (byte)i })], []);
        yield return Answers("pong that nobody asked for", [], Pong(1, 2, 3));
        yield return Answers("pong without a payload", [], Pong());
        yield return Accepts("pong between fragments", Text(Ordinary[..9], final: false), Pong(1), More(Ordinary[9..]));
        foreach (var opcode in (int[])[CloseOpcode, PingOpcode, PongOpcode])
        {
            yield return Closes($"fragmented control frame {opcode:X}", 1002, Frame(opcode, [0x03, 0xE8], final: false));
            yield return Closes($"control frame {opcode:X} of 126 bytes", 1002, Frame(opcode, new byte[126]));
            yield return Closes($"control frame {opcode:X} with its length in 2 bytes", 1002, Frame(opcode, [0x03, 0xE8],
                lengthBytes: 2)).ButNotByTheFramework();
            yield return Closes($"control frame {opcode:X} with its length in 8 bytes", 1002, Frame(opcode, [0x03, 0xE8],
                lengthBytes: 8)).ButNotByTheFramework();
        }
    }

    // §5.4: one message in many frames.
    private static IEnumerable<ConformanceCase> Fragments()
    {
        for (var at = 0; at <= Ordinary.Length; at += 7)
        {
            yield return Accepts($"two fragments, the first of {at} bytes", Text(Ordinary[..at], final: false), More(Ordinary[at..]));
        }

        yield return Accepts("three fragments", Text(Ordinary[..5], final: false), More(Ordinary[5..20], final: false),
            More(Ordinary[20..]));
        yield return Accepts("three fragments in one packet", Join(Text(Ordinary[..5], final: false), More(Ordinary[5..20],
            final: false), More(Ordinary[20..])));
        yield return Accepts("empty first fragment", Text([], final: false), More(Ordinary));
        yield return Accepts("empty fragment in the middle", Text(Ordinary[..5], final: false), More([], final: false),
            More(Ordinary[5..]));
        yield return Accepts("empty last fragment", Text(Ordinary, final: false), More([]));
        yield return Accepts("only empty fragments before the last", Text([], final: false), More([], final: false), More([],
            final: false), More(Ordinary));
        yield return Accepts("fragments of a byte", [Text([], final: false), .. Ordinary.Select(value => More([value], final: false)),
            More([])]);
        yield return Accepts("fragments byte by byte", Each(Join(Text(Ordinary[..5], final: false), More(Ordinary[5..]))));
        yield return Answers("fragmented messages in a row", ["pong r", "pong r"],
            Text(Ordinary[..5], final: false), More(Ordinary[5..]), Text(Ordinary[..9], final: false), More(Ordinary[9..]));
        yield return Closes("continuation of nothing", 1002, More(Ordinary));
        yield return Closes("unfinished continuation of nothing", 1002, More(Ordinary, final: false));
        yield return new("continuation of a finished message", [Text(Ordinary), More([0x7D])], ["pong r"], [], [1002]);
        yield return new("continuation of a finished fragmented message", [Text(Ordinary[..5], final: false), More(Ordinary[5..]),
            More([0x7D])], ["pong r"], [], [1002]);
        yield return Closes("text within a message", 1002, Text(Ordinary[..5], final: false), Text(Ordinary));
        yield return Closes("unfinished text within a message", 1002, Text(Ordinary[..5], final: false), Text(Ordinary, final: false));
        yield return Closes("binary within a message", 1002, Text(Ordinary[..5], final: false), Frame(BinaryOpcode, [1]));
    }

    // §8.1, RFC 3629: text is UTF-8, and a character may be cut anywhere.
    private static IEnumerable<ConformanceCase> Utf8()
    {
        foreach (var text in (string[])["\u0080", "é", "\u07FF", "\u0800", "€", "\uD7FF", "\uE000", "\uFFFD", "\uFFFF", "\U00010000",
            "😀", "\U0010FFFF", "κόσμε", "e\u0301"])
        {
            var name = string.Join(' ', text.EnumerateRunes().Select(rune => $"U+{rune.Value:X4}"));
            yield return Accepts($"text {name}", Text(MessageWith("r", Encoding.UTF8.GetBytes(text))));
        }
        foreach (var text in (string[])["é", "€", "😀"])
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var message = MessageWith("r", bytes);
            var start = message.Length - 2 - bytes.Length;
            for (var at = 1; at < bytes.Length; at++)
            {
                yield return Accepts($"{bytes.Length}-byte character in two fragments, cut at {at}", Text(message[..(start + at)],
                    final: false), More(message[(start + at)..]));
                var frame = Text(message);
                var head = frame.Length - message.Length;
                yield return Accepts($"{bytes.Length}-byte character in two packets, cut at {at}", frame[..(head + start + at)],
                    frame[(head + start + at)..]);
                yield return Closes($"{bytes.Length}-byte character that ends after {at}", 1007, Text(message[..(start + at)]));
                yield return Closes($"{bytes.Length}-byte character that ends after {at} in the last fragment", 1007,
                    Text(message[..start], final: false), More(bytes[..at]));
            }
            yield return Accepts($"{bytes.Length}-byte character, a byte a fragment",
                [Text(message[..start], final: false), .. bytes.Select(value => More([value], final: false)), More("\"}"u8.ToArray())]);
        }
        foreach (var bad in (string[])["80", "BF", "C080", "C1BF", "C220", "E08080", "E09FBF", "E28220", "EDA080", "EDBFBF",
            "EDA080EDB080", "F0808080", "F08FBFBF",
            "F4908080", "F5808080", "F888808080", "FC8480808080", "FE", "FF", "FEFEFFFF", "CEBA80", "61FF62"])
        {
            yield return Closes($"bytes {bad}", 1007, Text(MessageWith("r", Convert.FromHexString(bad))));
        }

        yield return Closes("bad bytes in the second fragment", 1007, Text(Ordinary[..5], final: false), More([0xFF, .. Ordinary[5..]]));
        yield return Closes("a cut character, completed wrongly", 1007, Text([.. "\""u8, 0xE2], final: false), More([0x82, .. "\""u8]));
        yield return new("bad bytes after a good message", [Text(Ordinary), Text([0xFF])], ["pong r"], [], [1007]);
    }

    // §5.5.1, §7: the closing handshake.
    private static IEnumerable<ConformanceCase> CloseHandshake()
    {
        yield return Closes("close without a code", 1000, Frame(CloseOpcode, []));
        foreach (var code in (int[])[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
        {
            yield return Closes($"close {code}", 1000, Close(code));
        }

        yield return Closes("close with a reason", 1000, Close(1000, "good bye"));
        yield return Closes("close with the longest reason", 1000, Close(1000, new string('x', 123)));
        yield return Closes("close with a reason of long characters", 1000, Close(1000, "κόσμε 😀"));
        yield return Closes("close byte by byte", 1000, Each(Close(1000, "bye")));
        yield return Closes("close between fragments", 1000, Text(Ordinary[..5], final: false), Close(1000));
        yield return new("close behind messages in one packet", [Join(Text(Message("a")), Text(Message("b")), Close(1000))], ["pong a",
            "pong b"], [], [1000]);
        yield return Closes("what follows a close is not heard", 1000, Join(Close(1000), Text(Ordinary), Ping(1)));
        yield return Closes("close with half a code", 1002, Frame(CloseOpcode, [3]));
        foreach (var code in (int[])[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
        {
            yield return Closes($"close {code} is none", 1002, Close(code));
        }
        // The RFC allows 1007 (data inconsistent with the type of the message) and 1002 (protocol error).
        foreach (var bad in (string[])["80", "C0AF", "EDA080", "F4908080", "E282"])
        {
            yield return new($"close with the bytes {bad}", [Frame(CloseOpcode, [0x03, 0xE8, .. Convert.FromHexString(bad)])], [], [],
                [1002, 1007]);
        }
    }

    // docs/protocol.md: a message has at most 32 KiB. A longer one is skipped, and one of over eight times that closes the connection.
    private static IEnumerable<ConformanceCase> Limits()
    {
        foreach (var bytes in (int[])[32_769, 40_000, 65_535, 65_536, 100_000, 262_144])
        {
            yield return Answers($"too large by {bytes - 32_768}", ["error too_large"], Text(Message("r", bytes)));
        }

        yield return Answers("too large, then an ordinary one", ["error too_large", "pong r"], Text(Message("x", 50_000)),
            Text(Ordinary));
        yield return Answers("too large in fragments", ["error too_large"],
            [Text(Message("r", 30_000), final: false), More(new byte[2_000], final: false), More(new byte[2_000])]);
        yield return new("ping within a message that is too large", [Text(new byte[40_000], final: false), Ping(5), More([1])],
            ["error too_large"], [[5]], []);
        yield return Accepts("the limit in fragments", Text(Message("r", 32_768)[..20_000], final: false), More(Message("r",
            32_768)[20_000..]));
        yield return Closes("far too large", 1009, Text(Message("r", 262_145)));
        yield return Closes("far too large in fragments", 1009, [Text(new byte[30_000], final: false),
            .. Enumerable.Repeat(More(new byte[30_000], final: false), 8)]);
        yield return Closes("binary", 1003, Frame(BinaryOpcode, [1, 2, 3]));
        yield return Closes("binary without a payload", 1003, Frame(BinaryOpcode, []));
        yield return Closes("binary in fragments", 1003, Frame(BinaryOpcode, [1], final: false), More([2]));
        yield return Closes("large binary", 1003, Frame(BinaryOpcode, new byte[100_000]));
    }
}
