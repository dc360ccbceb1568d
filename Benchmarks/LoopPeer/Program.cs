using System.Globalization;
using AspireChat.LoopPeer;

// `LoopPeer PORT` runs until it is killed. The line tells whoever started it that clients can connect.
using var server = new LoopServer(int.Parse(args[0], CultureInfo.InvariantCulture));
Console.WriteLine("ready");
server.Run();
