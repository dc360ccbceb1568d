using System.Diagnostics;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Client.Api;

/// <summary>What the HTTP clients make of refusals, of failures that pass, and of answers that never come.</summary>
public sealed class ApiFailureTests : IAsyncLifetime
{
    private ServerClients _clients = null!;

    private ScriptedApi Api => _clients.Api;

    private ChatServerClient Client => _clients.Client;

    public async Task InitializeAsync() => _clients = await ServerClients.StartAsync();

    public Task DisposeAsync() => _clients.DisposeAsync().AsTask();

    [Fact]
    public async Task A_refused_token_is_asked_for_again_once()
    {
        Api.Then(ScriptedApi.Refuse(401));

        await Client.Rooms.PutAsync("tea");

        Assert.Equal(["t1", "t2"], Api.Calls.Select(call => call.Token));
        await Client.Rooms.PutAsync("tea");
        Assert.Equal("t2", Api.Calls.Last().Token);
    }

    [Fact]
    public async Task Two_refused_tokens_end_the_call()
    {
        Api.Always = ScriptedApi.Refuse(401, "anything");

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal((ChatErrorCodes.Token, 401), (refusal.Code, refusal.Status));
        Assert.Equal((2, 2), (Api.Calls.Count, _clients.TokensGiven));
    }

    [Fact]
    public async Task A_token_provider_that_fails_is_told_as_that()
    {
        _clients.Options.TokenProvider = _ => throw new UnauthorizedAccessException("signed out");

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal(ChatErrorCodes.Token, refusal.Code);
        Assert.Empty(Api.Calls);
    }

    [Theory]
    [InlineData(400, ErrorCodes.BadRequest)]
    [InlineData(403, ErrorCodes.Forbidden)]
    [InlineData(404, ErrorCodes.NotFound)]
    [InlineData(409, "exists")]
    [InlineData(429, ErrorCodes.Limit)]
    [InlineData(500, "odd")]
    public async Task A_refusal_is_told_with_code_status_and_sentence_and_is_not_repeated(int status, string code)
    {
        Api.Then(ScriptedApi.Refuse(status, code, "7"));

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal((code, status, $"because of {code}"), (refusal.Code, refusal.Status, refusal.Message));
        Assert.Equal(TimeSpan.FromSeconds(7), refusal.RetryAfter);
        Assert.Single(Api.Calls);
    }

    [Theory]
    [InlineData(403, ErrorCodes.Forbidden)]
    [InlineData(404, ErrorCodes.NotFound)]
    [InlineData(405, ChatErrorCodes.BadAnswer)]
    public async Task A_refusal_without_a_code_has_that_of_its_status(int status, string code)
    {
        Api.Then(ScriptedApi.Status(status));

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal((code, status), (refusal.Code, refusal.Status));
    }

    [Fact]
    public async Task An_answer_that_is_not_of_this_protocol_is_told_as_that()
    {
        Api.Always = ScriptedApi.Json(200, "<html>Please sign in</html>");

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal((ChatErrorCodes.BadAnswer, 200), (refusal.Code, refusal.Status));
        Assert.Single(Api.Calls);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(408)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(0)]
    public async Task What_fails_in_passing_is_repeated(int status)
    {
        var failure = status == 0 ? ScriptedApi.Cut : ScriptedApi.Refuse(status);
        Api.Then(failure).Then(failure).Then(failure);

        var sent = await Client.SendToRoomAsync("tea", "hello");

        Assert.Equal(1, sent.Seq);
        Assert.Equal(4, Api.Calls.Count);
        // One message: every attempt has the same nonce.
        Assert.Single(Api.Calls.Select(call => call.Body).Distinct());
    }

    [Theory]
    [InlineData(503, 1)]
    [InlineData(0, 1)]
    [InlineData(429, 2)]
    public async Task A_call_that_would_do_something_twice_is_repeated_only_when_it_was_refused(int status, int calls)
    {
        var failure = status == 0 ? ScriptedApi.Cut : ScriptedApi.Refuse(status);
        foreach (var call in (Func<Task>[])[() => Client.Webhooks.ReplayAsync("msg_1"), () => _clients.User.Rooms.CreateAsync()])
        {
            Api.Calls.Clear();
            Api.Then(failure);

            var refusal = await Record.ExceptionAsync(call);

            Assert.Equal(calls, Api.Calls.Count);
            Assert.Equal(calls == 1, refusal is ChatException);
        }
    }

    [Fact]
    public async Task A_removal_whose_answer_was_lost_is_done_when_there_is_nothing_left()
    {
        Api.Then(ScriptedApi.Cut).Then(ScriptedApi.Refuse(404, ErrorCodes.NotFound));

        await Client.Rooms.DeleteAsync("tea");

        Assert.Equal(2, Api.Calls.Count);
        Api.Then(ScriptedApi.Refuse(429)).Then(ScriptedApi.Refuse(404, ErrorCodes.NotFound));
        await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.DeleteAsync("tea"));
    }

    [Fact]
    public async Task The_wait_that_the_server_asks_for_is_obeyed()
    {
        var time = new FakeTimeProvider();
        _clients.Options.TimeProvider = time;
        Api.Then(ScriptedApi.Refuse(503, ErrorCodes.Unavailable, "2"));
        var began = time.GetUtcNow();
        DateTimeOffset? again = null;
        Api.Always = context =>
        {
            again = time.GetUtcNow();
            return ScriptedApi.Json(200, ScriptedApi.Anything)(context);
        };

        var call = Client.Rooms.PutAsync("tea");
        while (!call.IsCompleted)
        {
            // The first answer needs real time; only the wait is the clock's.
            await Task.WhenAny(call, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
            if (!Api.Calls.IsEmpty)
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
            }
        }

        await call;
        Assert.InRange(again!.Value - began, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_call_that_the_server_wants_later_than_its_deadline_fails_at_once()
    {
        Api.Always = ScriptedApi.Refuse(503, ErrorCodes.Unavailable, "3600");

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal((ErrorCodes.Unavailable, 503, TimeSpan.FromHours(1)), (refusal.Code, refusal.Status, refusal.RetryAfter));
        Assert.Single(Api.Calls);
    }

    [Fact]
    public async Task A_server_that_never_answers_ends_the_call_at_its_deadline()
    {
        Api.Always = ScriptedApi.Silence;
        _clients.Options.AttemptTimeout = TimeSpan.FromMilliseconds(50);
        _clients.Options.Deadline = TimeSpan.FromMilliseconds(300);
        var began = Stopwatch.GetTimestamp();

        var refusal = await Assert.ThrowsAsync<ChatException>(() => Client.Rooms.PutAsync("tea"));

        Assert.Equal((ChatErrorCodes.NoAnswer, null), (refusal.Code, refusal.Status));
        Assert.InRange(Api.Calls.Count, 2, 8);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_ends_at_once_while_it_waits_and_while_it_runs()
    {
        foreach (var answer in (RequestDelegate[])[ScriptedApi.Refuse(503, ErrorCodes.Unavailable, "20"), ScriptedApi.Silence])
        {
            Api.Calls.Clear();
            Api.Always = answer;
            using var cancelled = new CancellationTokenSource();
            var call = Client.Rooms.PutAsync("tea", cancellationToken: cancelled.Token);
            while (Api.Calls.IsEmpty)
            {
                await Task.Yield();
            }

            await cancelled.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
            Assert.Single(Api.Calls);
        }
    }

    [Fact]
    public async Task An_export_comes_line_by_line_and_is_repeated_until_it_begins()
    {
        Api.Then(ScriptedApi.Refuse(503, ErrorCodes.Unavailable)).Then(ScriptedApi.Cut).Then(ScriptedApi.Json(200, "{\"kind\":\"profile\"}\n{\"kind\":\"event\"}\n"));

        var lines = new List<string>();
        await foreach (var line in Client.Users.ExportAsync("alice"))
        {
            lines.Add(line);
        }

        Assert.Equal(["{\"kind\":\"profile\"}", "{\"kind\":\"event\"}"], lines);
        Assert.Equal(3, Api.Calls.Count);
    }

    [Fact]
    public async Task An_export_that_breaks_off_is_not_taken_for_a_whole_one()
    {
        var firstLine = new TaskCompletionSource();
        Api.Then(async context =>
        {
            await context.Response.WriteAsync("{\"kind\":\"profile\"}\n{\"kind\":\"ev");
            await context.Response.Body.FlushAsync();
            await firstLine.Task;
            context.Abort();
        });

        var refusal = await Assert.ThrowsAsync<ChatException>(async () =>
        {
            await foreach (var line in Client.Users.ExportAsync("alice"))
            {
                Assert.Equal("{\"kind\":\"profile\"}", line);
                firstLine.SetResult();
            }
        });

        Assert.Equal(ChatErrorCodes.NoAnswer, refusal.Code);
        Assert.Single(Api.Calls);
    }
}
