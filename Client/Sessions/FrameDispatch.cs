using AspireChat.Client.Delivery;
using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Sessions;

/// <summary>
/// Hands each frame of the server to the conversation, the send or the request that it is about. Called inside the session's gate.
/// </summary>
internal static class FrameDispatch
{
    public static void Handle(WireFrame frame, Session session)
    {
        if (frame.Type == "error")
        {
            OnError(frame, session);
            return;
        }
        session.Profiles.Learn(frame.Profiles);
        if (frame is { Type: "profile", User: { } shown })
        {
            session.Profiles.Learn(shown, frame.Name, frame.Picture);
            session.Offer(new ProfileChanged(shown, session.Profiles.Find(shown)));
            return;
        }

        if (frame.Room is null && frame.To is null)
        {
            return;
        }

        var place = ServerFrameReader.PlaceOf(frame, session.User!);
        // A direct conversation begins with its first event. A room that is not followed was left, or its join was given up.
        if (session.Find(place) is not { } conversation)
        {
            if (place.IsRoom || frame.Type is "typing" or "read" or "durable" or "signal")
            {
                if (!place.IsRoom)
                {
                    OfferEphemeral(frame, place, session);
                }

                return;
            }
            conversation = session.Track(place);
        }
        switch (frame.Type)
        {
            case "ack":
                conversation.OnAck(frame);
                break;
            case "joined":
                if (!conversation.Log.Replay.IsUnderWay)
                {
                    session.Answered(frame.Reference, conversation);
                }

                conversation.OnJoined(frame);
                break;
            case "resumed":
                session.Answered(frame.Reference, conversation);
                conversation.Log.OnResumed(frame.Epoch!, frame.Head!.Value);
                break;
            case "left":
                OnLeft(conversation, session, frame.Reason);
                break;
            case "member":
                session.Offer(new MemberChanged(
                    place, frame.User!, frame.Change!, frame.By!, frame.Role, ServerFrameReader.ToTime(frame.Until)));
                break;
            case "durable":
                conversation.Log.OnDurable(frame.Seq!.Value);
                break;
            case "read" when frame.From == session.User:
                conversation.Reads.Known(frame.Seq!.Value);
                OfferEphemeral(frame, place, session);
                break;
            default:
                if (ServerFrameReader.IsEvent(frame))
                {
                    conversation.Log.OnEvent(frame);
                }
                else
                {
                    OfferEphemeral(frame, place, session);
                }

                break;
        }
    }

    private static void OfferEphemeral(WireFrame frame, Conversation place, Session session)
    {
        ChatItem? item = frame.Type switch
        {
            "online" => new PresenceChanged(place, frame.Users!, [], frame.Count!.Value),
            "offline" => new PresenceChanged(place, [], frame.Users!, frame.Count!.Value),
            "presence" => new PresenceChanged(place, [], [], frame.Count!.Value),
            "typing" => new TypingChanged(place, frame.From!, frame.Active!.Value),
            "signal" => new SignalReceived(place, frame.From!, frame.Name!, frame.Data?.GetRawText()),
            "read" => new ReadCursorMoved(place, frame.From!, frame.Seq!.Value),
            _ => null,
        };
        if (item is not null)
        {
            session.Offer(item);
        }
    }

    private static void OnLeft(TrackedConversation conversation, Session session, string? reason)
    {
        conversation.Seat.Leaving?.TrySetResult();
        session.Remove(conversation, new ChatException(ErrorCodes.NotJoined, $"{conversation.Name} was left."));
        session.Give(new RoomLeft(conversation.Name, reason));
    }

    private static void OnError(WireFrame error, Session session)
    {
        var (code, message) = (error.Code!, error.Message ?? "");
        if (error.Nonce is { } nonce)
        {
            if (session.Outbox.Refuse(nonce, code, message, error.RetryAfter) is { } unjoined)
            {
                session.Track(unjoined).OnNotJoined();
            }

            return;
        }
        if (session.TakeReference(error.Reference) is not { } conversations)
        {
            session.Fault(code, message);
            return;
        }
        foreach (var conversation in conversations)
        {
            OnRefused(conversation, code, message, error.RetryAfter, isAlone: conversations.Count == 1, session);
        }
    }

    private static void OnLeaveRefused(TrackedConversation conversation, string code, string message, Session session)
    {
        conversation.Seat.Stay(new ChatException(code, message));
        if (!conversation.Seat.IsWanted && code is ErrorCodes.NotFound or ErrorCodes.NotJoined)
        {
            // The client did not follow the room, and the server says that there is nothing to leave.
            session.Remove(conversation, new ChatException(code, message));
        }
        else if (conversation.Seat is { IsWanted: true, IsJoined: false } && session.IsConnected)
        {
            conversation.SendJoin();
        }
    }

    /// <summary>A <c>join</c>, <c>leave</c> or <c>resume</c> was refused.</summary>
    private static void OnRefused(
        TrackedConversation conversation, string code, string message, double? retryAfter, bool isAlone, Session session)
    {
        var passes = code is ErrorCodes.Unavailable or ErrorCodes.RateLimited;
        if (conversation.Seat.Leaving is not null && !passes)
        {
            OnLeaveRefused(conversation, code, message, session);
        }
        else if (!conversation.Name.IsRoom)
        {
            conversation.Log.LookForMissed();
        }
        else if (passes || !isAlone)
        {
            // One room among many may be the reason, so each room is asked for on its own.
            var wait = passes ? (retryAfter ?? 1_000) * (1 + (session.Options.Chance() / 5)) : 0;
            conversation.Seat.AskAgainAt = session.Now + TimeSpan.FromMilliseconds(wait);
            session.WakeAt(conversation.Seat.AskAgainAt.Value);
        }
        else
        {
            session.Fault(code, message, conversation.Name);
            session.Remove(conversation, new ChatException(code, message));
            session.Give(new RoomLeft(conversation.Name, code));
        }
    }
}
