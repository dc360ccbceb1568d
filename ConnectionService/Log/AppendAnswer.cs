using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Log;

/// <summary>Appending for callers who wait for the answer, instead of having it posted somewhere.</summary>
public static class AppendAnswer
{
    /// <summary>Appends one event and waits for its place; <see cref="AppendStatus.Unavailable"/> also when the queue is full.</summary>
    /// <param name="retryAfter">Milliseconds for the answer to a full queue.</param>
    public static Task<AppendResult> AppendAsync(
        this IConversationLog log, ConversationEvent e, int retryAfter, bool requireMember = false, bool targetChecked = false)
    {
        var waiter = new Waiter();
        return log.TryAppend(new AppendRequest(e, requireMember, waiter, targetChecked))
            ? waiter.Task
            : Task.FromResult(AppendResult.Unavailable(retryAfter));
    }

    private sealed class Waiter : IAppendCompletion
    {
        private readonly TaskCompletionSource<AppendResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AppendResult> Task => _result.Task;

        public void Completed(ConversationEvent appended, AppendResult result) => _result.TrySetResult(result);
    }
}
