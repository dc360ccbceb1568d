namespace AspireChat.Client;

/// <summary>How a <see cref="ChatApi"/> behaves. Its <see cref="ChatCallOptions.TokenProvider"/> gives the token of one user.</summary>
public sealed class ChatApiOptions : ChatCallOptions;
