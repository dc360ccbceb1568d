using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AspireChat.Tests.Client;

/// <summary>The ways in which a test changes the server's behaviour. Every hook is called inside the server's gate.</summary>
internal sealed class FaultScript
{
    /// <summary>Gets a client's frame. True when the script has handled it.</summary>
    public Func<ServerSocket, JsonObject, bool> OnFrame { get; set; } = (_, _) => false;

    /// <summary>The frames to send instead of one: none, the same several times, or others.</summary>
    public Func<ServerSocket, JsonObject, IEnumerable<JsonObject>> OnSay { get; set; } = (_, frame) => [frame];

    /// <summary>A status other than 101 refuses the upgrade.</summary>
    public Func<string, int> OnUpgrade { get; set; } = _ => 101;

    /// <summary>A status other than 200 refuses a page, and -1 cuts the connection.</summary>
    public Func<HttpRequest, int> OnHttp { get; set; } = _ => 200;

    /// <summary>Changes a page before it is sent.</summary>
    public Action<JsonObject> OnPage { get; set; } = _ => { };

    /// <summary>Changes the list of conversations before it is sent.</summary>
    public Action<JsonArray> OnOverview { get; set; } = _ => { };

    /// <summary>The answer to who asks for a ticket; null: 404. A ticket is a token of this server. Called outside the gate.</summary>
    public Func<JsonObject?> OnTicket { get; set; } = () => null;

    public Func<string> Expires { get; set; } = () => "2099-01-01T00:00:00.000Z";

    public double Heartbeat { get; set; } = 3600;

    public int ReplayLimit { get; set; } = 1000;
}
