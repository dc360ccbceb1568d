using AspireChat.Servers;

namespace AspireChat.AppHost.Startup;

/// <summary>A start that cannot succeed ends with one line on the error stream and exit code 1, not with a stack trace.</summary>
internal static class StartFaults
{
    public static void ExplainInOneLine() => AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
    {
        if (unhandled.ExceptionObject is not Exception fault || Find(fault) is not { } explained)
        {
            return;
        }

        Console.Error.WriteLine($"AspireChat cannot start: {explained.Message}");
        Environment.Exit(1);
    };

    private static ServerException? Find(Exception? fault) => fault switch
    {
        null => null,
        ServerException found => found,
        _ => Find(fault.InnerException),
    };
}
