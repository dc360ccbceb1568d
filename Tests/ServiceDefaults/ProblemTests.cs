using System.Net;
using System.Text;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class ProblemTests
{
    [Theory]
    [InlineData("*/*")]
    [InlineData("text/html")]
    [InlineData("image/png")]
    public async Task Every_refusal_is_a_problem_document_whatever_the_client_accepts(string accept)
    {
        await using var service = await RunningService.StartAsync(map: app =>
        {
            app.MapGet("/fault", string () => throw new InvalidOperationException("password=hunter2"));
            app.MapGet("/number/{n}", (HttpContext context, int limit) => limit);
            app.MapPost("/body", (Body body) => body.Value);
        });
        service.Http.DefaultRequestHeaders.Add("Accept", accept);

        await Problems.AssertAsync(HttpStatusCode.Unauthorized, await service.GetAsync("/user"));
        await Problems.AssertAsync(HttpStatusCode.Forbidden, await service.GetAsync("/admin", TestTokens.For("alice")));
        await Problems.AssertAsync(HttpStatusCode.NotFound, await service.GetAsync("/nothing"));
        await Problems.AssertAsync(HttpStatusCode.MethodNotAllowed, await service.GetAsync("/anyone", method: HttpMethod.Delete));
        await Problems.AssertAsync(HttpStatusCode.BadRequest, await service.GetAsync("/number/1?limit=x"));
        await Problems.AssertAsync(HttpStatusCode.UnsupportedMediaType, await service.Http.PostAsync("/body", new StringContent("x")));
        var broken = new StringContent("{", Encoding.UTF8, "application/json");
        await Problems.AssertAsync(HttpStatusCode.BadRequest, await service.Http.PostAsync("/body", broken));
        var fault = await Problems.AssertAsync(HttpStatusCode.InternalServerError, await service.GetAsync("/fault"));
        Assert.DoesNotContain("hunter2", fault.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(service.Logs.Lines, line =>
            line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_problem_has_its_code_and_says_when_to_retry()
    {
        await using var service = await RunningService.StartAsync(map: app => app.MapGet("/busy", (HttpContext context) =>
            context.WriteProblemAsync(503, "Busy.", ErrorCodes.Unavailable, TimeSpan.FromMilliseconds(1200))));

        var response = await service.GetAsync("/busy");
        var problem = await Problems.AssertAsync(HttpStatusCode.ServiceUnavailable, response);

        Assert.Equal(("Busy.", ErrorCodes.Unavailable), (problem.GetProperty("detail").GetString(), problem.GetProperty("code").GetString()));
        Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter!.Delta);
    }

    private sealed record Body(int Value);
}
