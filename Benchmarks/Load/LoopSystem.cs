using System.Globalization;
using AspireChat.Servers;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// A limit: one process that delivers and promises nothing. It takes rooms at a rate, direct. Without a rate it would lose what full
/// sockets do not take.
/// </summary>
internal abstract class LimitSystem(string name) : SystemUnderTest(name, new PlainDialect())
{
    public override bool Takes(Scenario scenario, Way way) => way == Way.Direct && !scenario.IsDirect && scenario.Rate > 0;

    protected Uri Listen()
    {
        var address = FreeAddress();
        Nodes = [address];
        return address;
    }
}

/// <summary>Benchmarks/LoopPeer: one thread with epoll and one send per recipient.</summary>
internal sealed class LoopSystem : LimitSystem
{
    private LoopSystem() : base("C# loop")
    {
    }

    /// <summary>Starts it and blocks until clients can connect.</summary>
    public static LoopSystem Start() => StartAsync(new LoopSystem(), system => system.StartAsync()).GetAwaiter().GetResult();

    private Task StartAsync()
    {
        var program = ProgramOf("LoopPeer");
        var port = Listen().Port.ToString(CultureInfo.InvariantCulture);
        return StartServerAsync(
            Role.Node, new ServerCommand("dotnet", ["exec", program, port], Path.GetDirectoryName(program)!), "ready");
    }
}

/// <summary>
/// nginx with the module nchan (Debian's package libnginx-mod-nchan) and two workers. It is measured where it is installed.
/// </summary>
internal sealed class NchanSystem : LimitSystem
{
    private static readonly string[] ModuleFolders = ["/usr/lib/nginx/modules", "/usr/share/nginx/modules"];

    private readonly string _folder = Directory.CreateTempSubdirectory("aspirechat-nchan-").FullName;

    private NchanSystem() : base("nchan")
    {
    }

    public static bool IsInstalled => Nginx is not null && Module is not null;

    private static string? Nginx => new[] { Programs.Find("nginx"), "/usr/sbin/nginx" }.FirstOrDefault(File.Exists);

    private static string? Module =>
        ModuleFolders.Select(folder => Path.Combine(folder, "ngx_nchan_module.so")).FirstOrDefault(File.Exists);

    /// <summary>Starts it and blocks until clients can connect.</summary>
    public static NchanSystem Start() => StartAsync(new NchanSystem(), system => system.StartAsync()).GetAwaiter().GetResult();

    protected override void OnEnded() => Directory.Delete(_folder, recursive: true);

    private async Task StartAsync()
    {
        var configuration = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, Configuration(Listen().Port));
        await StartServerAsync(
            Role.Node, new ServerCommand(Nginx!, ["-c", configuration, "-p", _folder, "-e", "stderr"], _folder), "start worker process");
    }

    private string Configuration(int port) => $$"""
        load_module {{Module}};
        daemon off;
        worker_processes 2;
        worker_rlimit_nofile 20000;
        pid {{_folder}}/nginx.pid;
        error_log stderr notice;
        {{(Environment.UserName == "root" ? "user root;" : "")}}
        events { worker_connections 16384; }
        http {
          access_log off;
          client_body_temp_path {{_folder}}/body;
          proxy_temp_path {{_folder}}/proxy;
          fastcgi_temp_path {{_folder}}/fastcgi;
          uwsgi_temp_path {{_folder}}/uwsgi;
          scgi_temp_path {{_folder}}/scgi;
          nchan_max_reserved_memory 256M;
          server {
            listen 127.0.0.1:{{port}} backlog=4096;
            location ~ ^/room/(.+)$ {
              nchan_pubsub websocket;
              nchan_channel_id $1;
              nchan_message_buffer_length 1;
              nchan_message_timeout 5s;
              nchan_subscriber_first_message newest;
            }
          }
        }
        """;
}
