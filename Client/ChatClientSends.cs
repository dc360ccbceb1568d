using AspireChat.Client.Sessions;
using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

// What the user sends.
public sealed partial class ChatClient
{
    /// <inheritdoc/>
    public Task<SendReceipt> SendAsync(
        Conversation conversation, string content, string? nonce = null, CancellationToken cancellationToken = default) =>
        SendAsync(conversation, content, new ChatMessageOptions { Nonce = nonce }, cancellationToken);

    /// <inheritdoc/>
    public Task<SendReceipt> SendAsync(
        Conversation conversation, string content, ChatMessageOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return SendAsync(conversation, content, options, replaces: null, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<SendReceipt> EditAsync(
        Conversation conversation, long target, string content, string? nonce = null, CancellationToken cancellationToken = default) =>
        EditAsync(conversation, target, content, new ChatMessageOptions { Nonce = nonce }, cancellationToken);

    /// <inheritdoc/>
    public Task<SendReceipt> EditAsync(
        Conversation conversation, long target, string content, ChatMessageOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        ClientFrames.CheckText(content, _options.MaxContentLength, nameof(content));
        return EnqueueAsync(conversation, options.Nonce, n => ClientFrames.Edit(conversation, target, content, n, options), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<SendReceipt> DeleteAsync(
        Conversation conversation, long target, string? nonce = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        return EnqueueAsync(conversation, nonce, n => ClientFrames.Delete(conversation, target, n), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<SendReceipt> ReactAsync(
        Conversation conversation, long target, string emoji, bool remove = false, string? nonce = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        ClientFrames.CheckText(emoji, new FrameLimits().ShortText, nameof(emoji));
        return EnqueueAsync(conversation, nonce, n => ClientFrames.React(conversation, target, emoji, remove, n), cancellationToken);
    }

    /// <inheritdoc/>
    public void Typing(Conversation conversation, bool active = true)
    {
        var session = _session;
        lock (session.Gate)
        {
            var tracked = session.Find(conversation.Named(nameof(conversation)));
            if (tracked is { IsReady: false } || (tracked is null && (conversation.IsRoom || !session.IsConnected)))
            {
                return;
            }

            tracked ??= session.Track(conversation);
            tracked.Typing.Tell(active);
        }
    }

    /// <inheritdoc/>
    public bool Signal(Conversation conversation, string name, string? data = null)
    {
        ClientFrames.CheckText(name, new FrameLimits().ShortText, nameof(name));
        var frame = ClientFrames.Signal(conversation.Named(nameof(conversation)), name, data);
        var session = _session;
        lock (session.Gate)
        {
            var isReady = session.Find(conversation) is { } tracked ? tracked.IsReady : !conversation.IsRoom && session.IsConnected;
            return isReady && session.SendDroppable(frame);
        }
    }

    private Task<SendReceipt> SendAsync(
        Conversation conversation, string content, ChatMessageOptions options, string? replaces, CancellationToken cancellationToken)
    {
        ClientFrames.CheckText(content, _options.MaxContentLength, nameof(content));
        return EnqueueAsync(
            conversation, options.Nonce, nonce => ClientFrames.Message(conversation, content, nonce, options), cancellationToken,
            nonce => new PendingMessage
            {
                Nonce = nonce,
                Content = content,
                Created = _options.TimeProvider.GetUtcNow(),
                ReplyTo = options.ReplyTo ?? 0,
                Mentions = options.Mentions ?? [],
                Meta = options.Meta,
            },
            replaces);
    }

    private Task<SendReceipt> SendAgainAsync(Conversation conversation, PendingMessage failed, CancellationToken cancellationToken) =>
        SendAsync(
            conversation, failed.Content,
            new ChatMessageOptions
            {
                ReplyTo = failed.ReplyTo == 0 ? null : failed.ReplyTo,
                Mentions = failed.Mentions.Count == 0 ? null : failed.Mentions,
                Meta = failed.Meta,
            },
            failed.Nonce, cancellationToken);

    /// <param name="message">What views show of it meanwhile; null: it is no message.</param>
    /// <param name="replaces">The nonce of the failed message whose place it takes; null: none.</param>
    private async Task<SendReceipt> EnqueueAsync(
        Conversation conversation, string? nonce, Func<string, byte[]> frame, CancellationToken cancellationToken,
        Func<string, PendingMessage>? message = null, string? replaces = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        nonce = nonce is null ? Guid.NewGuid().ToString("N") : ClientFrames.CheckText(nonce, new FrameLimits().ShortText, nameof(nonce));
        conversation.Named(nameof(conversation));
        var bytes = frame(nonce);
        var session = Live();
        Sending.Outbox.Entry entry;
        lock (session.Gate)
        {
            ThrowIfEnded(session);
            if (conversation.IsRoom && session.Find(conversation) is not { Seat.IsWanted: true })
            {
                throw NotJoined(conversation);
            }

            session.Track(conversation);
            if (replaces is not null)
            {
                session.Pending.Discard(conversation, replaces);
            }

            entry = session.Outbox.Add(conversation, nonce, bytes, message?.Invoke(nonce));
        }
        // Dispose would wait for a running callback, which may wait for the gate. Unregister does not.
        var registration = cancellationToken.UnsafeRegister((_, token) => Withdraw(session, entry, token), null);
        try
        {
            return await entry.Completion.Task.ConfigureAwait(false);
        }
        finally
        {
            registration.Unregister();
        }
    }

    private static void Withdraw(Session session, Sending.Outbox.Entry entry, CancellationToken cancellationToken)
    {
        lock (session.Gate)
        {
            if (session.Outbox.Withdraw(entry))
            {
                entry.Completion.TrySetCanceled(cancellationToken);
            }
        }
    }
}
