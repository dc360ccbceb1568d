using System.IO.Pipelines;
using AspireChat.ServiceDefaults;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class RedisFaultsTests
{
    [Fact]
    public void Writing_to_a_connection_that_has_ended_is_a_fault_of_the_connection()
    {
        var pipe = new Pipe();
        pipe.Writer.Complete();

        Assert.True(RedisFaults.Is(Assert.Throws<InvalidOperationException>(() => pipe.Writer.GetSpan(1).Length)));
    }

    [Fact]
    public void Another_invalid_operation_is_a_bug()
    {
        Assert.False(RedisFaults.Is(Assert.Throws<InvalidOperationException>(() => new Queue<int>().Dequeue())));
        Assert.False(RedisFaults.Is(new InvalidOperationException("Writing is not allowed after writer was completed.")));
    }
}
