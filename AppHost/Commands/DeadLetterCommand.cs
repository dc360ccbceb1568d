using System.Net.Http.Headers;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.AppHost.Commands;

/// <summary><em>Replay dead letters</em> on persistence: what PostgreSQL refused is tried again.</summary>
internal static class DeadLetterCommand
{
    public static IResourceBuilder<ProjectResource> WithReplayDeadLettersCommand(
        this IResourceBuilder<ProjectResource> persistence, IResourceBuilder<ParameterResource> jwtKey) =>
        persistence.WithHttpCommand(
            "/internal/dead-letters/replay", "Replay dead letters", endpointName: "http", commandName: "replay-dead-letters",
            commandOptions: new HttpCommandOptions
            {
                Description = "Writes to PostgreSQL what it refused before. What it refuses again stays a dead letter.",
                IconName = "ArrowReplyAll",
                PrepareRequest = async context =>
                {
                    var key = await jwtKey.Resource.GetValueAsync(context.CancellationToken);
                    var tokens = new InternalTokens(
                        Options.Create(persistence.ApplicationBuilder.Configuration.TokenOptions(key)), TimeProvider.System,
                        persistence.ApplicationBuilder.Environment);
                    context.Request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Take());
                },
                GetCommandResult = async context =>
                {
                    var answer = await context.Response.Content.ReadAsStringAsync(context.CancellationToken);
                    return context.Response.IsSuccessStatusCode
                        ? CommandResults.Success("Done.", answer, CommandResultFormat.Json, displayImmediately: true)
                        : CommandResults.Failure($"persistence answered {(int)context.Response.StatusCode}: {answer}");
                },
            });
}
