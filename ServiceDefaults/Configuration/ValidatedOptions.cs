using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

/// <summary>Options that are checked before the service starts.</summary>
public static class ValidatedOptionsExtensions
{
    /// <summary>
    /// Binds <typeparamref name="TOptions"/> to a configuration section and checks its annotations (and <see cref="IValidatableObject"/>)
    /// before the host starts. A fault stops the start with a message that names the configuration key, such as
    /// <c>Jwt:Key is missing</c>; values are never repeated in it.
    /// </summary>
    public static OptionsBuilder<TOptions> AddValidatedOptions<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.AddSingleton<IValidateOptions<TOptions>>(new AnnotationValidator<TOptions>(section));
        return services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
    }

    private sealed class AnnotationValidator<TOptions>(string section) : IValidateOptions<TOptions> where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options)
        {
            List<string> faults = [];
            Collect(options, section, faults);
            return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
        }

        private static string PlaceOf(string key) => $"; in the environment it is {key.Replace(":", "__", StringComparison.Ordinal)}";

        private static void Collect(object options, string section, List<string> faults)
        {
            foreach (var property in options.GetType().GetProperties())
            {
                if (property.GetIndexParameters().Length > 0 || !property.CanRead)
                {
                    continue;
                }

                var value = property.GetValue(options);
                // A section within the section. Collections and framework types have no annotations of ours.
                if (value is not null && property.PropertyType.IsClass && property.PropertyType.Assembly == typeof(TOptions).Assembly)
                {
                    Collect(value, $"{section}:{property.Name}", faults);
                }

                foreach (var rule in property.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>())
                {
                    if (rule.IsValid(value))
                    {
                        continue;
                    }

                    var key = $"{section}:{property.Name}";
                    faults.Add(rule is RequiredAttribute ? $"{key} is missing{PlaceOf(key)}." : rule.FormatErrorMessage(key));
                }
            }
            if (options is not IValidatableObject self)
            {
                return;
            }

            foreach (var fault in self.Validate(new ValidationContext(options)))
            {
                var key = fault.MemberNames.FirstOrDefault() is { } member ? $"{section}:{member}" : section;
                faults.Add($"{key} {fault.ErrorMessage}");
            }
        }
    }
}
