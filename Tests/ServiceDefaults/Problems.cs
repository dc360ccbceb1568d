using System.Net;
using System.Text.Json;

namespace AspireChat.Tests.ServiceDefaults;

internal static class Problems
{
    /// <summary>Asserts that a response is a problem document of that status, and returns its members.</summary>
    public static async Task<JsonElement> AssertAsync(HttpStatusCode status, HttpResponseMessage response)
    {
        // The body of an upgraded connection has no end.
        var body = response.StatusCode == HttpStatusCode.SwitchingProtocols ? "" : await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{(int)response.StatusCode} instead of {(int)status}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(body).RootElement;
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(problem.GetProperty("title").GetString()));
        return problem;
    }

    /// <summary>The same, and returns the problem's code.</summary>
    public static async Task<string?> CodeOfAsync(HttpStatusCode status, HttpResponseMessage response) =>
        (await AssertAsync(status, response)).GetProperty("code").GetString();
}
