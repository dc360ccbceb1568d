using AspireChat.Benchmarks.Append;
using AspireChat.Benchmarks.Erase;
using AspireChat.Benchmarks.Latency;
using AspireChat.Benchmarks.Load;
using AspireChat.Benchmarks.Micro;
using AspireChat.Benchmarks.Persist;
using AspireChat.Benchmarks.Presence;
using AspireChat.Benchmarks.Removal;
using AspireChat.Benchmarks.Rules;
using AspireChat.Benchmarks.Search;
using AspireChat.Benchmarks.Webhooks;

// Each benchmark is one command. Results that back a claim are committed under results/.
switch (args)
{
    case ["append", .. var rest]:
        return await AppendBenchmark.RunAsync(rest.Length > 0 ? int.Parse(rest[0]) : 7);
    case ["persist", .. var rest]:
        return await PersistBenchmark.RunAsync(rest.Length > 0 ? int.Parse(rest[0]) : 5);
    case ["search", .. var rest]:
        return await SearchBenchmark.RunAsync(rest);
    case ["micro", .. var rest]:
        return MicroBenchmarks.Run(rest);
    case ["load", .. var rest]:
        return LoadCommand.Run(rest);
    case ["presence", .. var rest]:
        return PresenceCommand.Run(rest);
    case ["webhooks", .. var rest]:
        return await WebhookBenchmark.RunAsync(rest.Length > 0 ? int.Parse(rest[0]) : 20);
    case ["removal", .. var rest]:
        return await RemovalCommand.RunAsync(rest);
    case ["erase", .. var rest]:
        return await EraseCommand.RunAsync(rest);
    case ["rules", .. var rest]:
        return await RulesBenchmark.RunAsync(rest.Length > 0 ? int.Parse(rest[0]) : 7);
    case ["soak", .. var rest]:
        return SoakCommand.Run(rest);
    case ["latency", .. var rest]:
        return await LatencyBenchmark.RunAsync(new Uri(rest.Length > 0 ? rest[0] : "http://localhost:8080"), messages: 300);
    default:
        Console.Error.WriteLine(
            "Usage: dotnet run -c Release --project Benchmarks -- " +
            "append [rounds] | erase … | latency [gateway] | load … | micro … | persist [rounds] | presence [users|join|kill] | removal … "
            + "| rules [rounds] | search [--rows N] | soak … | webhooks [seconds]");
        return 2;
}
