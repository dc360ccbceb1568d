using System.IO.Pipelines;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Tests.RedisLog;

public sealed class RedisFaultsTests
{
    public static TheoryData<Exception> Away { get; } = new()
    {
        new RedisConnectionException(ConnectionFailureType.SocketFailure, "no connection"),
        new RedisTimeoutException("too late", CommandStatus.Sent),
        new TimeoutException(),
        new RedisServerException("LOADING Redis is loading the dataset in memory"),
    };

    [Theory]
    [MemberData(nameof(Away))]
    public void A_server_that_is_down_silent_or_loading_is_away(Exception e) =>
        Assert.True(RedisFaults.IsAway(e) && RedisFaults.IsAwayOrRefused(e));

    [Fact]
    public void An_error_answer_is_a_refusal()
    {
        var e = new RedisServerException("OOM command not allowed when used memory > 'maxmemory'.");

        Assert.True(RedisFaults.IsAwayOrRefused(e));
        Assert.False(RedisFaults.IsAway(e));
    }

    [Fact]
    public void Writing_to_a_connection_that_has_ended_is_a_fault_of_the_connection()
    {
        var pipe = new Pipe();
        pipe.Writer.Complete();

        Assert.True(RedisFaults.IsAway(Assert.Throws<InvalidOperationException>(() => pipe.Writer.GetSpan(1).Length)));
    }

    [Fact]
    public void Another_invalid_operation_is_a_bug()
    {
        Assert.False(RedisFaults.IsAwayOrRefused(Assert.Throws<InvalidOperationException>(() => new Queue<int>().Dequeue())));
        Assert.False(RedisFaults.IsAwayOrRefused(new InvalidOperationException("Writing is not allowed after writer was completed.")));
    }
}
