using System.Text.Json;
using AspireChat.WebhookReceiver;

var builder = WebApplication.CreateBuilder(args);
var secret = builder.Configuration["Webhook:Secret"]
    ?? throw new InvalidOperationException("Webhook:Secret is missing; in the environment it is Webhook__Secret.");
var calls = new SignedCalls(secret);
var app = builder.Build();

app.MapPost("/webhooks", (HttpRequest request, ILogger<Program> logger) => calls.TakeAsync(request, (e, _) =>
{
    logger.LogInformation("{Type} {Timestamp} {Data}",
        e.GetProperty("type").GetString(), e.GetProperty("timestamp").GetString(), e.GetProperty("data").GetRawText());
    return Task.CompletedTask;
}));

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
