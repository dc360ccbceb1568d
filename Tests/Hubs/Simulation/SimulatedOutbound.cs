using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>A connection's queue by the rules of <see cref="IOutbound"/>, emptied when the simulation lets the client read.</summary>
internal sealed class SimulatedOutbound(int limit) : IOutbound
{
    private readonly Queue<byte[]> _queue = new();
    private readonly List<Action> _resumes = [];
    private long _bytes;

    public int CloseCode { get; private set; }

    public bool HasFrames => _queue.Count > 0;

    public bool Send(OutboundFrame frame)
    {
        if (CloseCode != 0)
        {
            return false;
        }

        if (_bytes + frame.Payload.Length > limit)
        {
            _queue.Clear();
            CloseCode = CloseCodes.TooSlow;
            return false;
        }
        _bytes += frame.Payload.Length;
        _queue.Enqueue(frame.Payload.ToArray());
        return true;
    }

    public bool SendEphemeral(OutboundFrame frame) => _bytes < limit / 2 && Send(frame);

    public bool TryWaitForSpace(Action resume)
    {
        if (CloseCode != 0 || _bytes <= limit / 4)
        {
            return false;
        }

        _resumes.Add(resume);
        return true;
    }

    public void Close(int code, string reason) => CloseCode = CloseCode == 0 ? code : CloseCode;

    /// <summary>The client reads one frame.</summary>
    public byte[] Read()
    {
        var frame = _queue.Dequeue();
        _bytes -= frame.Length;
        if (_bytes <= limit / 8 && _resumes.Count > 0)
        {
            var resumes = _resumes.ToList();
            _resumes.Clear();
            resumes.ForEach(resume => resume());
        }
        return frame;
    }
}
