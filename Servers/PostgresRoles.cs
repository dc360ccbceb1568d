namespace AspireChat.Servers;

/// <summary>
/// The two roles that PersistenceService signs in as, and their passwords: one owns the tables and migrates them, the other one reads and
/// writes rows. Neither is a superuser. deploy/compose/postgres/roles.sql says what each may do.
/// </summary>
public sealed record PostgresRoles(string OwnerPassword, string WriterPassword)
{
    public const string Owner = "aspirechat_owner";
    public const string Writer = "aspirechat_writer";

    private static readonly string Script = Read();

    /// <summary>
    /// The statements that make the roles, or bring them up to date. A superuser runs them in the database. The passwords are in them: do
    /// not log them.
    /// </summary>
    public string Statements => Script
        .Replace(":'owner_password'", Literal(OwnerPassword), StringComparison.Ordinal)
        .Replace(":'writer_password'", Literal(WriterPassword), StringComparison.Ordinal);

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Read()
    {
        using var reader = new StreamReader(typeof(PostgresRoles).Assembly.GetManifestResourceStream("roles.sql")!);
        // Lines that begin with a backslash are psql's own.
        return string.Join('\n', reader.ReadToEnd().Split('\n')
            .Where(line => !line.StartsWith('\\') && !line.StartsWith("--", StringComparison.Ordinal))).TrimStart();
    }
}
