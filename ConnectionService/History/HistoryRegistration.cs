using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.History;

/// <summary>Registers <see cref="EventReader"/>: needs the conversation log and <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/>.</summary>
internal static class HistoryRegistration
{
    public static void AddEventReading(this IHostApplicationBuilder builder)
    {
        builder.AddInternalHttpClient<IEventHistory, PersistedHistory>("persistence");
        builder.Services.AddSingleton<EventReader>();
        builder.Services.AddSingleton<Revisions>();
    }
}
