using System.Text;
using AspireChat.Benchmarks.Removal;

namespace AspireChat.Tests.Benchmarks;

public sealed class RemovalReportTests
{
    private static readonly RemovalTimes Good = new(RemovalKind.Ban, 12, 10, 30, 28, Late: 0, Behind: 0);

    [Theory]
    [InlineData(0, 0, 28.0, 10, true)]
    [InlineData(1, 0, 28.0, 10, false)]
    [InlineData(0, 1, 28.0, 10, false)]
    [InlineData(0, 0, null, 10, false)]
    [InlineData(0, 0, 28.0, 600, false)]
    public void It_fails_when_an_event_came_too_late_or_the_end_did_not_come(int late, int behind, double? end, double last, bool passes)
    {
        var one = Good with { Late = late, Behind = behind, EndFromAnswer = end, LastFromAnswer = last };

        Assert.Equal(passes, RemovalReport.HasPassed(Options(), [Good, one]));
        Assert.Contains(passes ? "\nWithin the goal." : "**Not within the goal.**", RemovalReport.Of(Options(), [Good, one], 0, 4_000), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_pubsub_a_second_is_allowed()
    {
        var slow = Good with { LastFromAnswer = 900 };

        Assert.False(RemovalReport.HasPassed(Options(), [slow]));
        Assert.True(RemovalReport.HasPassed(Options("--without-pubsub"), [slow]));
    }

    [Fact]
    public void Replies_of_Redis_pass_whole_wherever_they_are_cut_and_messages_of_pubsub_are_taken_out()
    {
        const string before = "+OK\r\n:12\r\n$-1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nr\r\n:1\r\n*2\r\n*1\r\n$7\r\nmessage\r\n*0\r\n";
        const string message = "*3\r\n$7\r\nmessage\r\n$1\r\nr\r\n$9\r\nhi\r\nthere\r\n";
        const string pushed = ">3\r\n$7\r\nmessage\r\n$1\r\nr\r\n$2\r\nhi\r\n";
        const string after = "%1\r\n+a\r\n$2\r\nbc\r\n-ERR no\r\n";
        var all = Encoding.ASCII.GetBytes(before + message + pushed + after);
        for (var size = 1; size <= all.Length; size++)
        {
            var (replies, passed, taken) = (new RespReplies(), new StringBuilder(), 0);
            foreach (var part in all.Chunk(size))
            {
                passed.Append(Encoding.ASCII.GetString(replies.Take(part, withoutMessages: true, out var some).Span));
                taken += some;
            }

            Assert.Equal((before + after, 2), (passed.ToString(), taken));
        }

        Assert.Equal(all, new RespReplies().Take(all, withoutMessages: false, out _).ToArray());
    }

    private static RemovalOptions Options(params string[] arguments) => RemovalOptions.Parse(arguments);
}
