using Microsoft.Extensions.Options;

namespace AspireChat.Client;

/// <summary>Stops the start of an application whose options cannot work. Thread-safe.</summary>
internal sealed class CallOptionsValidation<TOptions> : IValidateOptions<TOptions> where TOptions : ChatCallOptions
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        string[] problems = [.. options.Problems().Select(problem => $"{typeof(TOptions).Name}: {problem}")];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
