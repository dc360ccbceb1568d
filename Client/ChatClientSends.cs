using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>What the user sends.</summary>
public sealed partial class ChatClient
{
    /// <summary>
    /// Sends a message and completes once it is in the log. Until then the client keeps it and repeats it with its nonce, over any number
    /// of connections, so that it arrives once. The sends of one conversation arrive in the order of the calls.
    /// </summary>
    /// <param name="nonce">1–64 characters, unique in the conversation. A new one is made if none is given. An application that remembers
    /// the nonce can safely repeat the send after a restart, within 24 h.</param>
    /// <param name="cancellationToken">Takes the message back. If it was sent already it may still arrive.</param>
    /// <exception cref="ArgumentException">The content is empty, too long, or has a NUL or a lone surrogate; or a send with this nonce
    /// waits already.</exception>
    /// <exception cref="ChatException">Refused for good (<see cref="ErrorCodes"/>), or given up (<see cref="ChatFaults"/>).</exception>
    public Task<Accepted> SendAsync(
        Conversation conversation, string content, string? nonce = null, CancellationToken cancellationToken = default) =>
        SendAsync(conversation, content, new MessageOptions { Nonce = nonce }, cancellationToken);

    /// <summary>Sends a message that carries more than its text. Otherwise as the other overload.</summary>
    public Task<Accepted> SendAsync(
        Conversation conversation, string content, MessageOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ClientFrames.CheckText(content, _options.MaxContentLength, nameof(content));
        return EnqueueAsync(conversation, options.Nonce, n => ClientFrames.Message(conversation, content, n, options), cancellationToken);
    }

    /// <summary>Gives one of the user's messages a new text. Otherwise as a send.</summary>
    /// <param name="target">The message's seq.</param>
    public Task<Accepted> EditAsync(
        Conversation conversation, long target, string content, string? nonce = null, CancellationToken cancellationToken = default) =>
        EditAsync(conversation, target, content, new MessageOptions { Nonce = nonce }, cancellationToken);

    /// <summary>The same, with new mentions or a new meta: those that the options do not name stay.</summary>
    public Task<Accepted> EditAsync(
        Conversation conversation, long target, string content, MessageOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        ClientFrames.CheckText(content, _options.MaxContentLength, nameof(content));
        return EnqueueAsync(conversation, options.Nonce, n => ClientFrames.Edit(conversation, target, content, n, options), cancellationToken);
    }

    /// <summary>Deletes one of the user's messages. Otherwise as a send.</summary>
    public Task<Accepted> DeleteAsync(
        Conversation conversation, long target, string? nonce = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        return EnqueueAsync(conversation, nonce, n => ClientFrames.Delete(conversation, target, n), cancellationToken);
    }

    /// <summary>Reacts to a message, or takes the reaction back. Otherwise as a send.</summary>
    public Task<Accepted> ReactAsync(
        Conversation conversation, long target, string emoji, bool remove = false, string? nonce = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target, 1);
        ClientFrames.CheckText(emoji, new FrameLimits().ShortText, nameof(emoji));
        return EnqueueAsync(conversation, nonce, n => ClientFrames.React(conversation, target, emoji, remove, n), cancellationToken);
    }

    /// <summary>
    /// Tells the others that the user types or has stopped. Call it at every key stroke; it sends at most one frame in 2 s. It is lost
    /// without a connection.
    /// </summary>
    public void Typing(Conversation conversation, bool active = true)
    {
        lock (_session.Gate)
        {
            var tracked = _session.Find(conversation.Named(nameof(conversation)));
            if (tracked is { IsReady: false } || (tracked is null && (conversation.IsRoom || !_session.IsConnected)))
            {
                return;
            }

            tracked ??= _session.Track(conversation);
            tracked.Typing.Tell(active);
        }
    }

    /// <summary>Sends the others an event of the product's own, which is not stored. It is lost without a connection.</summary>
    /// <param name="name">1–64 characters.</param>
    /// <param name="data">JSON, at most 4 KiB; null: none.</param>
    /// <exception cref="System.Text.Json.JsonException"><paramref name="data"/> is no JSON.</exception>
    public void Signal(Conversation conversation, string name, string? data = null)
    {
        ClientFrames.CheckText(name, new FrameLimits().ShortText, nameof(name));
        var frame = ClientFrames.Signal(conversation.Named(nameof(conversation)), name, data);
        lock (_session.Gate)
        {
            if (_session.Find(conversation) is { } tracked ? tracked.IsReady : !conversation.IsRoom && _session.IsConnected)
            {
                _session.SendDroppable(frame);
            }
        }
    }

    private async Task<Accepted> EnqueueAsync(
        Conversation conversation, string? nonce, Func<string, byte[]> frame, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        nonce = nonce is null ? Guid.NewGuid().ToString("N") : ClientFrames.CheckText(nonce, new FrameLimits().ShortText, nameof(nonce));
        conversation.Named(nameof(conversation));
        var bytes = frame(nonce);
        Sending.Outbox.Entry entry;
        lock (_session.Gate)
        {
            ThrowIfEnded();
            if (conversation.IsRoom && _session.Find(conversation) is not { Seat.IsWanted: true })
            {
                throw NotJoined(conversation);
            }

            _session.Track(conversation);
            entry = _session.Outbox.Add(conversation, nonce, bytes);
        }
        // Dispose would wait for a running callback, which may wait for the gate. Unregister does not.
        var registration = cancellationToken.UnsafeRegister((_, token) => Withdraw(entry, token), null);
        try
        {
            return await entry.Completion.Task.ConfigureAwait(false);
        }
        finally
        {
            registration.Unregister();
        }
    }

    private void Withdraw(Sending.Outbox.Entry entry, CancellationToken cancellationToken)
    {
        lock (_session.Gate)
        {
            if (_session.Outbox.Withdraw(entry))
            {
                entry.Completion.TrySetCanceled(cancellationToken);
            }
        }
    }
}
