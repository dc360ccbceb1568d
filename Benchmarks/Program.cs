using AspireChat.Benchmarks.Append;

// Each benchmark is one command; results that a claim rests on are committed under results/.
switch (args)
{
    case ["append", .. var rest]:
        return await AppendBenchmark.RunAsync(rest.Length > 0 ? int.Parse(rest[0]) : 7);
    default:
        Console.Error.WriteLine("Usage: dotnet run -c Release --project Benchmarks -- append [rounds]");
        return 2;
}
