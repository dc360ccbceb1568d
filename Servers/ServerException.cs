namespace AspireChat.Servers;

/// <summary>A server cannot be started. The message is one line: what is wrong, and what to do about it.</summary>
public sealed class ServerException(string message, Exception? inner = null) : Exception(message, inner);
