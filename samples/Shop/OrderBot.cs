using System.Text.Json;
using AspireChat.WebhookReceiver;
using Microsoft.Extensions.Options;

namespace AspireChat.Shop;

/// <summary>Answers a customer who asks for an order's status. It hears of messages by a webhook.</summary>
internal sealed class OrderBot(Orders orders, OrderRooms rooms)
{
    /// <param name="e">An event of a webhook: <c>type</c> and <c>data</c>.</param>
    public async Task HearAsync(JsonElement e, CancellationToken cancellationToken)
    {
        if (e.GetProperty("type").GetString() != "message.created")
        {
            return;
        }

        var message = e.GetProperty("data");
        if (!message.TryGetProperty("room", out var room) || OrderRooms.OrderOf(room.GetString()!) is not { } id
            || orders.Find(id) is not { } order || message.GetProperty("from").GetString() != order.Customer
            || message.GetProperty("content").GetString()?.Contains("status", StringComparison.OrdinalIgnoreCase) != true)
        {
            return;
        }

        // One question has one answer: the nonce follows from the question.
        var seq = message.GetProperty("seq").GetInt64();
        await rooms.SayAsync(order, $"Order {order.Id} is {order.Status}.", $"status-{seq}", cancellationToken, replyTo: seq);
    }
}

internal static class ChatWebhooks
{
    public static void MapChatWebhooks(this WebApplication app)
    {
        var calls = new SignedCalls(app.Services.GetRequiredService<IOptions<ChatOptions>>().Value.WebhookSecret!);
        app.MapPost("/chat/webhooks", (HttpRequest request, OrderBot bot) => calls.TakeAsync(request, bot.HearAsync));
    }
}
