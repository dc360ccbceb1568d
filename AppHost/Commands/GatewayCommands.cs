using System.Net.Http.Json;
using Microsoft.Extensions.Hosting;

namespace AspireChat.AppHost.Commands;

/// <summary><em>New development token</em> on the gateway: a token for any user name, for curl or a client under development.</summary>
internal static class GatewayCommands
{
    private const string User = "user";

    public static IResourceBuilder<ProjectResource> WithDevelopmentTokenCommand(this IResourceBuilder<ProjectResource> gateway) =>
        !gateway.ApplicationBuilder.Environment.IsDevelopment() ? gateway : gateway.WithHttpCommand(
            "/dev/token", "New development token", endpointName: "http", commandName: "dev-token", commandOptions: new HttpCommandOptions
            {
                Description = "A token that lets one user connect for an hour. Only in the Development environment.",
                IconName = "Key",
                Arguments = [new InteractionInput { Name = User, Label = "User", InputType = InputType.Text, Required = true, Value = "alice" }],
                PrepareRequest = context =>
                {
                    context.Request.Content = JsonContent.Create(new { user = context.Arguments[User].Value });
                    return Task.CompletedTask;
                },
                GetCommandResult = async context =>
                {
                    var answer = await context.Response.Content.ReadAsStringAsync(context.CancellationToken);
                    return context.Response.IsSuccessStatusCode
                        ? CommandResults.Success("The token is ready.", answer, CommandResultFormat.Json, displayImmediately: true)
                        : CommandResults.Failure($"The gateway answered {(int)context.Response.StatusCode}: {answer}");
                },
            });
}
