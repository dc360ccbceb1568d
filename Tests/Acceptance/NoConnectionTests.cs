using AspireChat.Client;
using AspireChat.Tests.Client;
using AspireChat.Tests.Gateway;

namespace AspireChat.Tests.Acceptance;

/// <summary>
/// When the real system will not have a client of the C# library, its application learns why within seconds, and nothing is tried any more.
/// <c>web/e2e/refusals.js</c> is the same for the JavaScript library.
/// </summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class NoConnectionTests(ChatSystem system)
{
    private static readonly TimeSpan Seconds = TimeSpan.FromSeconds(10);

    private int _attempts;

    [Fact]
    public async Task A_malformed_token_ends_it()
    {
        await using var client = Of(_ => ValueTask.FromResult("two words"));

        await EndsAsync(client, client.ConnectAsync(), "token");
    }

    [Fact]
    public async Task A_token_that_the_system_refuses_ends_it_after_a_second_one()
    {
        await using var client = Of(_ => ValueTask.FromResult(TestTokens.For("mallory")));

        var fault = await EndsAsync(client, client.ConnectAsync(), "token");

        Assert.Equal(401, fault.Status);
    }

    [Fact]
    public async Task A_user_whom_an_operator_disconnects_stays_away()
    {
        var user = ChatSystem.Unique("alice");
        await using var client = Of(async _ => await system.TokenAsync(user));
        await using var listener = new Listener(client);
        await client.ConnectAsync().WaitAsync(Seconds);

        await system.CallAsync(ChatSystem.Unique("admin"), HttpMethod.Post, $"/api/admin/users/{user}/disconnect", scope: "chat:admin");
        await listener.Completion.WaitAsync(Seconds);
        var fault = await EndsAsync(client, client.JoinAsync("lobby"), "closed");

        Assert.Equal(4003, fault.CloseCode);
    }

    [Fact]
    public async Task A_token_provider_that_gives_up_ends_it()
    {
        await using var client = Of(_ => throw new UnauthorizedAccessException("signed out"));

        var fault = await EndsAsync(client, client.ConnectAsync(), "token");

        Assert.Contains("signed out", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_option_that_cannot_work_is_named_at_once()
    {
        var options = new ChatClientOptions { Gateway = new Uri("ftp://chat"), TokenProvider = _ => ValueTask.FromResult("t") };

        var fault = Assert.Throws<ChatException>(() => new ChatClient(options));

        Assert.Equal(("bad_option", nameof(ChatClientOptions.Gateway)), (fault.Code, fault.Option));
    }

    private ChatClient Of(Func<CancellationToken, ValueTask<string>> provider) => new(new ChatClientOptions
    {
        Gateway = system.Gateway,
        TokenProvider = stop =>
        {
            Interlocked.Increment(ref _attempts);
            return provider(stop);
        },
        // A further attempt would come at once.
        ReconnectDelay = TimeSpan.FromMilliseconds(1), MaxReconnectDelay = TimeSpan.FromMilliseconds(1),
    });

    private async Task<ChatException> EndsAsync(ChatClient client, Task call, string code)
    {
        var fault = await Assert.ThrowsAsync<ChatException>(() => call.WaitAsync(Seconds));
        Assert.Equal((code, "Closed"), (fault.Code, $"{client.State}"));
        var attempts = Volatile.Read(ref _attempts);
        // Long enough for many more attempts: another user connects and disconnects.
        await using (await system.ConnectAsync(ChatSystem.Unique("other")))
        {
        }

        Assert.Equal(attempts, Volatile.Read(ref _attempts));
        return fault;
    }
}
