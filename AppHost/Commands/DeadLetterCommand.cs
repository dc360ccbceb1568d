using System.Net.Http.Headers;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.AppHost.Commands;

/// <summary><em>Replay dead letters</em> on persistence: what PostgreSQL refused is tried again.</summary>
internal static class DeadLetterCommand
{
    private static readonly JsonWebTokenHandler Writer = new() { SetDefaultTimesOnTokenCreation = false };

    public static IResourceBuilder<ProjectResource> WithReplayDeadLettersCommand(
        this IResourceBuilder<ProjectResource> persistence, IResourceBuilder<ParameterResource> jwtKey) =>
        persistence.WithHttpCommand(
            "/internal/dead-letters/replay", "Replay dead letters", endpointName: "http", commandName: "replay-dead-letters",
            commandOptions: new HttpCommandOptions
            {
                Description = "Writes to PostgreSQL what it refused before. What it refuses again stays a dead letter.",
                IconName = "ArrowReplyAll",
                PrepareRequest = async context => context.Request.Headers.Authorization = new AuthenticationHeaderValue(
                    "Bearer", OperatorToken((await jwtKey.Resource.GetValueAsync(context.CancellationToken))!)),
                GetCommandResult = async context =>
                {
                    var answer = await context.Response.Content.ReadAsStringAsync(context.CancellationToken);
                    return context.Response.IsSuccessStatusCode
                        ? CommandResults.Success("Done.", answer, CommandResultFormat.Json, displayImmediately: true)
                        : CommandResults.Failure($"persistence answered {(int)context.Response.StatusCode}: {answer}");
                },
            });

    // As the services mint them for one another: see InternalTokens in ServiceDefaults.
    private static string OperatorToken(string key)
    {
        var now = TimeProvider.System.GetUtcNow();
        return Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = "aspirechat",
            Audience = "aspirechat-internal",
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = now.AddMinutes(1).UtcDateTime,
            Claims = new Dictionary<string, object> { [JwtRegisteredClaimNames.Sub] = "apphost" },
            SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(System.Text.Encoding.UTF8.GetBytes(key)), SecurityAlgorithms.HmacSha256),
        });
    }
}
