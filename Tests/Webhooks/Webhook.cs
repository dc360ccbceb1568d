using System.Net;
using System.Text.Json.Nodes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Persistence;
using AspireChat.Tests.ServiceDefaults;
using RunningService = AspireChat.Tests.Persistence.RunningService;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Webhooks;

/// <summary>What tests of webhooks share: a service that calls a <see cref="HookServer"/>, and what an operator asks of it.</summary>
internal static class Webhook
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    public static Task<RunningService> StartAsync(
        PersistenceWorld world, HookServer server, Action<Dictionary<string, string?>>? configure = null) =>
        world.StartServiceAsync(settings =>
        {
            settings["Webhooks:AllowPrivate"] = "true";
            settings["Webhooks:0:Url"] = server.Url;
            settings["Webhooks:0:Secret"] = Secret;
            settings["Webhooks:FirstPause"] = "00:00:00.1";
            configure?.Invoke(settings);
        });

    public static Task WriteAsync(PersistenceWorld world, HookServer server, List<LogEntry> entries)
    {
        var target = new WebhookTarget(server.Url, Secret, Enum.GetValues<WebhookKind>().ToHashSet(), []);
        var options = Options.Create(new WebhookOptions { Targets = new Dictionary<int, WebhookTarget> { [0] = target } });
        var outbox = new OutboxWriter(options, new OutboxBell(), TimeProvider.System);
        return new BatchWriter(world.Source, TimeProvider.System, outbox)
            .WriteAsync([new PartitionBatch(Lobby.Partition, entries, entries[^1].Position)], CancellationToken.None);
    }

    public static async Task SendAsync(Tests.Log.RunningLog log, ConversationKey conversation, int count, int first = 1)
    {
        var answers = await Task.WhenAll(Enumerable.Range(first, count).Select(i =>
            log.AppendAsync(PersistenceWorld.Message(conversation, "alice", $"n{i}", $"text {i}"))));
        Assert.All(answers, answer => Assert.Equal(AppendStatus.Accepted, answer.Status));
    }

    public static Task NothingIsLeftAsync(PersistenceWorld world) => Eventually.IsTrueAsync(
        async () => await world.QueryAsync<long>("SELECT (SELECT count(*) FROM webhook_outbox) + (SELECT count(*) FROM webhook_batches)") == 0,
        "the outbox is empty");

    public static long Seq(JsonObject e) => (long)e["data"]!["seq"]!;

    public static async Task<JsonArray> ListAsync(RunningService service)
    {
        using var answer = await CallAsync(service, HttpMethod.Get, "/api/admin/webhooks/dead-letters");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["items"]!.AsArray();
    }

    public static async Task<HttpResponseMessage> CallAsync(RunningService service, HttpMethod method, string path)
    {
        using var http = new HttpClient { BaseAddress = new Uri(service.Address) };
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new("Bearer", TestTokens.For("operator", scope: "chat:admin"));
        return await http.SendAsync(request);
    }
}
