using System.Reflection;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Golden;

/// <summary>The codes as clients know them. All other tests use the constants, so these literals hold them in place.</summary>
public sealed class GoldenCodesTests
{
    [Fact]
    public void Each_error_code_is_spelt_as_the_protocol_spells_it() => Assert.Equal(
        new SortedDictionary<string, string>
        {
            ["BadRequest"] = "bad_request", ["Forbidden"] = "forbidden", ["Limit"] = "limit", ["NotFound"] = "not_found",
            ["NotJoined"] = "not_joined", ["RateLimited"] = "rate_limited", ["TooLarge"] = "too_large", ["Unavailable"] = "unavailable",
            ["UnknownType"] = "unknown_type",
        },
        ConstantsOf<string>(typeof(ErrorCodes)));

    [Fact]
    public void Each_close_code_has_the_number_that_the_protocol_gives_it() => Assert.Equal(
        new SortedDictionary<string, int>
        {
            ["Flooding"] = 4009, ["Forbidden"] = 4003, ["Overloaded"] = 1013, ["Restart"] = 1012, ["TokenExpired"] = 4002,
            ["TooSlow"] = 4008, ["Unauthorized"] = 4001,
        },
        ConstantsOf<int>(typeof(CloseCodes)));

    private static SortedDictionary<string, T> ConstantsOf<T>(Type codes) => new(codes
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.FieldType == typeof(T))
        .ToDictionary(field => field.Name, field => (T)field.GetRawConstantValue()!));
}
