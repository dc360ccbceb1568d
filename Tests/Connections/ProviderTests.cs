using System.Net.WebSockets;
using AspireChat.Contracts.Frames;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Tests.Connections;

/// <summary>Live sockets of users of a real provider.</summary>
[Trait("Needs", "Redis")]
public sealed class ProviderTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task Sockets_live_through_a_rotation_of_keys_and_a_withdrawn_key_opens_none()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var node = await ConnectionNode.StartAsync(
            fixture.Server.ConnectionString, $"Jwt:Authority={provider.Address}", "Jwt:KeyRefresh=00:00:00.5", "Jwt:KeyRefreshLeast=00:00:00.2");
        var old = await provider.TokenAsync("auth0|64f0c2", "Alice");
        await using var alice = await TestSocket.ConnectAsync(node.Address, old);
        await alice.JoinAsync("lobby");

        await provider.RotateAsync("two", SecurityAlgorithms.EcdsaSha256);
        var fresh = await provider.TokenAsync("auth0|64f0c2", "Alice");
        await Eventually.IsTrueAsync(() => IsTakenAsync(alice, fresh), "the new key is accepted on a live socket");
        await provider.WithdrawAsync("one");
        await Eventually.IsTrueAsync(async () => !await IsTakenAsync(alice, old), "the withdrawn key is refused");

        await Assert.ThrowsAsync<WebSocketException>(() => TestSocket.OpenAsync(node.Address, old));
        await using var again = await TestSocket.ConnectAsync(node.Address, fresh);
        await again.JoinAsync("lobby");
        await alice.SayAsync("lobby", "still here");
        Assert.Equal("Alice", (string?)(await again.ExpectAsync("room"))["name"]);

        await provider.StopAsync();
        await alice.SayAsync("lobby", "also without the provider");
        await using var later = await TestSocket.ConnectAsync(node.Address, fresh);
    }

    private static async Task<bool> IsTakenAsync(TestSocket socket, string token)
    {
        await socket.SendAsync(new { type = "auth", token });
        var answer = await socket.ExpectAnyAsync("authenticated", "error");
        Assert.Contains((string?)answer["code"], new[] { null, ErrorCodes.Forbidden });
        return (string?)answer["type"] == "authenticated";
    }
}
