using System.Net;
using System.Net.Sockets;
using AspireChat.Servers;

namespace AspireChat.Tests.Servers;

public sealed class PortTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public void Port_on_which_something_listens_is_not_free(string address)
    {
        var port = Ports.Free();
        using var listener = new TcpListener(IPAddress.Parse(address), port);
        listener.Start();
        Assert.False(Ports.IsFree(port));
        listener.Stop();
        Assert.True(Ports.IsFree(port));
    }

    [Fact]
    public void No_port_is_given_twice_so_a_server_that_is_away_finds_its_own_again()
    {
        var ports = Enumerable.Range(0, 500).Select(_ => Ports.Free()).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
    }
}
