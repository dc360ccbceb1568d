using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class TokenBucketsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Each_client_has_its_burst_and_then_so_many_a_second()
    {
        var buckets = new TokenBuckets(perSecond: 2, burst: 3, _time);

        Assert.Equal(3, Taken(buckets, "alice"));
        Assert.False(buckets.TryTake("alice", out var retryAfter));
        Assert.InRange(retryAfter, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(0.5));
        Assert.True(buckets.TryTake("bob", out _));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, Taken(buckets, "alice"));
    }

    [Fact]
    public void Clients_whose_buckets_are_full_again_are_forgotten_and_others_keep_their_debt()
    {
        var buckets = new TokenBuckets(perSecond: 1, burst: 10, _time);
        for (var i = 0; i < 1_000; i++)
        {
            Assert.True(buckets.TryTake($"guest {i}", out _));
        }

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(10, Taken(buckets, "alice"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Taken(buckets, "alice"));

        Assert.Equal(1, buckets.Count);
    }

    private static int Taken(TokenBuckets buckets, string client)
    {
        var taken = 0;
        while (buckets.TryTake(client, out _))
        {
            taken++;
        }
        return taken;
    }
}
