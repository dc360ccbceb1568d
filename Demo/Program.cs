using System.Runtime.InteropServices;
using AspireChat.Demo;

// Aspire tells a project the gateway's address in this variable. By hand: services__gateway__http__0=http://localhost:8080.
const string variable = "services__gateway__http__0";
if (Environment.GetEnvironmentVariable(variable) is not { } address || !Uri.TryCreate(address, UriKind.Absolute, out var gateway))
{
    Console.Error.WriteLine($"{variable} must be the gateway's address.");
    return 1;
}

using var stop = new CancellationTokenSource();
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

await Task.WhenAll(Person.All.Select(name => new Person(name, gateway).ChatAsync(stop.Token)));
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
