using AspireChat.PersistenceService.Webhooks;

namespace AspireChat.Tests.Webhooks;

public sealed class UnseenRuleTests
{
    private static readonly DateTimeOffset Sent = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <param name="now">Seconds after the message.</param>
    /// <param name="seen">Seconds after the message at which the last connection closed; null: long ago.</param>
    [Theory]
    [InlineData(30, false, false, null, UnseenVerdict.Tell, 0)]
    [InlineData(30, true, false, null, UnseenVerdict.Drop, 0)]
    [InlineData(30, false, true, null, UnseenVerdict.Later, 60)]
    [InlineData(119, false, true, null, UnseenVerdict.Later, 149)]
    [InlineData(120, false, true, null, UnseenVerdict.Drop, 0)]
    [InlineData(30, false, false, 20, UnseenVerdict.Later, 50)]
    [InlineData(50, false, false, 20, UnseenVerdict.Tell, 0)]
    [InlineData(29, false, false, null, UnseenVerdict.Later, 30)]
    [InlineData(30, false, false, -5, UnseenVerdict.Tell, 0)]
    internal void A_message_is_unseen_after_the_addressee_had_no_connection_for_that_long(
        int now, bool read, bool connected, int? seen, UnseenVerdict verdict, int next)
    {
        DateTimeOffset? lastSeen = seen is { } seconds ? Sent.AddSeconds(seconds) : null;
        Assert.Equal(verdict, UnseenRule.Judge(Sent.AddSeconds(now), Sent, read, connected, lastSeen, TimeSpan.FromSeconds(30), out var again));
        if (verdict == UnseenVerdict.Later)
        {
            Assert.Equal(Sent.AddSeconds(next), again);
        }
    }
}
