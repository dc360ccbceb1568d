Console.WriteLine("Benchmarks arrive with the fan-out hot path.");
