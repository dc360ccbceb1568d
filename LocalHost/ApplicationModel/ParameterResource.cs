using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// A value given from outside: <c>Parameters:NAME</c> in the configuration (<c>Parameters__NAME</c> in the environment), else the default.
/// </summary>
public class ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false) : Resource(name),
    IExpressionValue
{
    private readonly Lock _once = new();
    private string? _value;

    public ParameterDefault? Default { get; set; }

    public string? Description { get; set; }

    public bool Secret { get; } = secret;

    public string ValueExpression => $"{{{Name}.value}}";

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken)
    {
        lock (_once)
        {
            _value ??= callback(Default);
            return new(_value);
        }
    }
}

public abstract class ParameterDefault
{
    public abstract string GetDefaultValue();
}

/// <summary>A random value, from the system's cryptographic generator.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    // Letters and digits that cannot be taken for one another, as the genuine generator has them.
    private const string LowerCase = "abcdefghjkmnpqrstuvwxyz";
    private const string UpperCase = "ABCDEFGHJKMNPQRSTUVWXYZ";
    private const string Digits = "0123456789";
    private const string Specials = "-_.{}~()*+!";

    public int MinLength { get; set; }

    public bool Lower { get; set; } = true;

    public bool Upper { get; set; } = true;

    public bool Numeric { get; set; } = true;

    public bool Special { get; set; } = true;

    public int MinLower { get; set; }

    public int MinUpper { get; set; }

    public int MinNumeric { get; set; }

    public int MinSpecial { get; set; }

    public override string GetDefaultValue()
    {
        var allowed = (Lower ? LowerCase : "") + (Upper ? UpperCase : "") + (Numeric ? Digits : "") + (Special ? Specials : "");
        if (allowed.Length == 0) throw new InvalidOperationException("A generated parameter needs at least one class of characters.");
        List<char> characters =
        [
            .. RandomNumberGenerator.GetItems<char>(LowerCase, MinLower),
            .. RandomNumberGenerator.GetItems<char>(UpperCase, MinUpper),
            .. RandomNumberGenerator.GetItems<char>(Digits, MinNumeric),
            .. RandomNumberGenerator.GetItems<char>(Specials, MinSpecial),
        ];
        characters.AddRange(RandomNumberGenerator.GetItems<char>(allowed, Math.Max(0, MinLength - characters.Count)));
        var value = characters.ToArray();
        RandomNumberGenerator.Shuffle<char>(value);
        return new string(value);
    }
}
