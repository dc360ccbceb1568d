using System.Text.Json;
using AspireChat.WebhookReceiver;
using StandardWebhooks;
using StandardWebhooks.Diagnostics;

var builder = WebApplication.CreateBuilder(args);
var secret = builder.Configuration["Webhook:Secret"]
    ?? throw new InvalidOperationException("Webhook:Secret is missing; in the environment it is Webhook__Secret.");
var webhook = new StandardWebhook(secret);
var taken = new TakenIds(most: 10_000);
var app = builder.Build();

// Takes a call when its signature and its time are right. A call that was taken before is answered alike and does nothing.
app.MapPost("/webhooks", async (HttpRequest request, ILogger<Program> logger) =>
{
    using var reader = new StreamReader(request.Body);
    var body = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
    try
    {
        webhook.Verify(body, request.Headers);
    }
    catch (WebhookVerificationException)
    {
        return Results.Unauthorized();
    }

    if (!taken.Add(request.Headers["webhook-id"].ToString()))
    {
        return Results.NoContent();
    }

    using var document = JsonDocument.Parse(body);
    foreach (var e in document.RootElement.GetProperty("events").EnumerateArray())
    {
        logger.LogInformation("{Type} {Timestamp} {Data}",
            e.GetProperty("type").GetString(), e.GetProperty("timestamp").GetString(), e.GetProperty("data").GetRawText());
    }

    return Results.NoContent();
});

// The hook before a send: refuses what says "spam", and takes out digits.
app.MapPost("/before-send", async (HttpRequest request) =>
{
    using var document = await JsonDocument.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
    var content = document.RootElement.GetProperty("content").GetString()!;
    return content.Contains("spam", StringComparison.OrdinalIgnoreCase)
        ? Results.Json(new { allow = false, reason = "no spam here" })
        : content.Any(char.IsAsciiDigit)
            ? Results.Json(new { allow = true, content = string.Concat(content.Select(c => char.IsAsciiDigit(c) ? '*' : c)) })
            : Results.Json(new { allow = true });
});

app.Run();
