namespace AspireChat.Client;

/// <summary>
/// How a <see cref="ChatServerClient"/> behaves. Its <see cref="ChatCallOptions.TokenProvider"/> gives a token with the scope
/// <c>chat:admin</c>.
/// </summary>
public sealed class ChatServerClientOptions : ChatCallOptions;
