using System.Net;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Webhooks;
using AspireChat.Tests.Persistence;
using AspireChat.Tests.ServiceDefaults;
using static AspireChat.Tests.Webhooks.Webhook;

namespace AspireChat.Tests.Webhooks;

/// <summary>A receiver that asks for time gets it.</summary>
public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(429, "120", 120)]
    [InlineData(503, "Sat, 31 Jan 2026 12:02:00 GMT", 120)]
    [InlineData(503, "0", 0)]
    [InlineData(429, "86400", 3_600)]
    [InlineData(503, "Fri, 31 Dec 2100 00:00:00 GMT", 3_600)]
    [InlineData(503, "Fri, 30 Jan 2026 12:00:00 GMT", 0)]
    [InlineData(429, "-5", 0)]
    [InlineData(429, "99999999999999999999", 0)]
    [InlineData(429, "soon", 0)]
    [InlineData(429, null, 0)]
    [InlineData(500, "120", 0)]
    [InlineData(301, "120", 0)]
    public void Seconds_and_dates_of_429_and_503_count_up_to_an_hour(int status, string? header, int seconds)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        if (header is not null)
        {
            response.Headers.TryAddWithoutValidation("Retry-After", header);
        }

        Assert.Equal(new WebhookAnswer($"status {status}", TimeSpan.FromSeconds(seconds)), WebhookAnswer.Of(response, Now));
    }

    [Fact]
    public void What_was_taken_is_not_waited_for()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.Accepted);
        response.Headers.TryAddWithoutValidation("Retry-After", "120");

        Assert.Equal(new WebhookAnswer(null), WebhookAnswer.Of(response, Now));
    }

    [Fact]
    [Trait("Needs", "System")]
    public async Task The_next_attempt_comes_no_earlier_and_other_conversations_go_on()
    {
        await using var server = await HookServer.StartAsync((call, context) =>
        {
            context.Response.Headers.RetryAfter = "1800";
            return Task.FromResult(call.Room == "lobby" ? 429 : 200);
        });
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server);
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        await SendAsync(log, ConversationKey.Room("lobby"), 1);
        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM webhook_batches WHERE attempts = 1") == 1, "the refusal is noted");
        await SendAsync(log, ConversationKey.Room("garden"), 1);
        await Eventually.IsTrueAsync(() => server.Events.Count == 1, "the other conversation is told");

        var wait = await world.QueryAsync<double>("SELECT extract(epoch FROM next_at - now())::float8 FROM webhook_batches WHERE attempts = 1");
        Assert.InRange(wait, 1_700, 1_980);
    }
}
