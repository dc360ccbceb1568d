#!/usr/bin/env python3
"""Measures what each hop of a message costs, by sampling all processes of the system while `load` runs one row.

    Benchmarks/Hops/hops.py [--row rooms-100x10] [--seconds 20] [--checkout DIRECTORY] [--output FILE]

Needs perf (Debian: linux-perf) and root. The kernel takes a stack of each running core 199 times a second; the runtime writes the names of
its compiled methods for it (DOTNET_PerfMapEnabled, and code in memory of its own). A sample belongs to the deepest frame of its stack that names a hop, so what the kernel,
the JSON reader or the Redis client does for a hop is counted there. A hop's share of its process is multiplied by what `load` measured for
that process in the same run. Sampling itself costs some percent, in all hops alike.
"""
import argparse
import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

# Per program: hop, and the frames that name it. The first line that matches the deepest frame wins; frames of no line are passed over.
HOPS = {
    "AspireChat.ConnectionService": [
        ("receive and parse", r"Connections\.(FrameHandler|Inbound|Frame)|Contracts\.Frames|\.Messages\.|WebSockets\.Frames"),
        ("rights and limits", r"\.Limits\.|\.Rooms\.|Admission|\.Hooks\."),
        ("append: batch and script call", r"ConnectionService\.Log\."),
        ("subscription: take what Redis published", r"\.Subscriptions\."),
        ("hub: order and members", r"\.Hubs\."),
        ("write to sockets", r"\.Outbound\.|WebSockets\.(EventLoop|Transport|Streams|Upgrade)|FrameSocket"),
        ("presence reports", r"\.Presence\.|\.Profiles\."),
        ("connections: the rest", r"ConnectionService\.Connections\."),
        ("Redis client", r"StackExchange\.Redis|Pipelines\.Sockets"),
        ("HTTP", r"Kestrel|AspNetCore"),
    ],
    "AspireChat.PersistenceService": [
        ("consume: read the log", r"\.Consuming\."),
        ("search index", r"\.Search\."),
        ("write batches", r"\.Writing\."),
        ("webhooks", r"\.(Outbox|Webhooks)\."),
        ("watch partitions", r"\.Partitions\."),
        ("SQL client", r"Npgsql"),
        ("Redis client", r"StackExchange\.Redis|Pipelines\.Sockets"),
        ("HTTP", r"Kestrel|AspNetCore"),
    ],
    "AspireChat.Gateway": [
        ("tunnel", r"\.(Tunnels|Sockets)\.|WebSockets\."),
        ("HTTP", r"Kestrel|AspNetCore|Yarp|Gateway\."),
    ],
    "AspireChat.PresenceService": [
        ("state", r"PresenceService\."),
        ("Redis client", r"StackExchange\.Redis|Pipelines\.Sockets"),
        ("HTTP", r"Kestrel|AspNetCore"),
    ],
}
RUNTIME = [
    ("compiler (JIT)", r"libclrjit|CILJit|MethodDesc::(Do|Jit)|PrepareILBasedCode|TieredCompilation"),
    ("garbage collector", r"WKS::|SVR::|gc_heap|libclrgc"),
]
# As load names what it measured.
FIGURES = {
    "AspireChat.ConnectionService": "Node", "AspireChat.PersistenceService": "Persistence", "AspireChat.PresenceService": "Presence",
    "AspireChat.Gateway": "Gateway", "Redis": "Redis", "PostgreSQL": "PostgreSql",
}
# Where a call of the kernel hides the frames above it (libc keeps no frame pointer), and where no hop is named: by the call itself.
CALLS = [
    ("write to sockets", r"sys_sendto|\b__send\b"),
    ("receive and parse", r"sys_recvfrom|\b__(libc_)?recv\b|\bread\b"),
    ("sockets of the framework (Redis, SQL, HTTP)", r"sys_sendmsg|sys_recvmsg|System\.Net\.Sockets"),
    ("wait for sockets", r"epoll"),
    ("threads: wake, wait, spin", r"futex|sched_yield|LowLevel|ThreadPool|pthread_"),
]
SERVERS = {"redis-server": "Redis", "postgres": "PostgreSQL"}
RATE = 199
UNNAMED = "runtime: the rest"


def fail(text):
    sys.exit(f"hops: {text}")


def program(pid):
    """The service that a process is, or None."""
    try:
        name = pathlib.Path(f"/proc/{pid}/exe").resolve().name
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    for known in SERVERS:
        if name == known or pathlib.Path(words[0].split(" ")[0]).name == known:
            return known
    return next((known for known in HOPS if any(pathlib.Path(word).name in (known, f"{known}.dll") for word in words[:3])), None)


def hop(service, frames):
    """The hop of one stack; its deepest frame comes first."""
    for frame in frames:
        for name, pattern in RUNTIME:
            if re.search(pattern, frame):
                return name
        for name, pattern in HOPS[service]:
            if re.search(pattern, frame):
                return name
    for name, pattern in CALLS:
        if any(re.search(pattern, frame) for frame in frames):
            return name
    return UNNAMED


def samples(data):
    """Yields process id and stack of each sample."""
    text = subprocess.run(["perf", "script", "-i", data, "-F", "pid,ip,sym,dso"], capture_output=True, text=True, errors="replace").stdout
    for block in text.split("\n\n"):
        lines = [line.strip() for line in block.strip().split("\n") if line.strip()]
        if lines and lines[0].split()[0].isdigit():
            yield int(lines[0].split()[0]), lines[1:]


def descendants(root):
    """Process ids below one, itself included."""
    children = collections.defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children[int(fields[1])].append(int(entry))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children[pid]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--row", default="rooms-100x10")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--members", type=int, default=10, help="deliveries of a message in this row")
    parser.add_argument("--checkout", default=str(pathlib.Path(__file__).resolve().parents[2]))
    parser.add_argument("--unnamed", action="store_true", help="also print the commonest stacks that no hop has")
    parser.add_argument("--output")
    options = parser.parse_args()
    benchmark = pathlib.Path(options.checkout, "artifacts/bin/Benchmarks/release/AspireChat.Benchmarks.dll")
    if not benchmark.exists():
        fail(f"{benchmark} is not built: dotnet build -c Release Benchmarks")

    with tempfile.TemporaryDirectory() as work:
        log = open(f"{work}/load.log", "w+")
        load = subprocess.Popen(
            ["dotnet", str(benchmark), "load", options.row, "--direct", "--no-peer", "--no-limits", "--rounds", "1",
             "--seconds", str(options.seconds), "--warmup", "3", "--output", f"{work}/result"],
            stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "DOTNET_PerfMapEnabled": "1", "DOTNET_EnableWriteXorExecute": "0"})
        services, data = {}, f"{work}/samples"
        try:
            # The progress bar begins with the measured window; before it comes the warm-up of other rows, and much compiling.
            while load.poll() is None and f"/1 {options.row}" not in pathlib.Path(log.name).read_text():
                time.sleep(0.2)
            recorded = subprocess.run(
                ["perf", "record", "-q", "-a", "-g", "-e", "cpu-clock", "-F", str(RATE), "-o", data, "--", "sleep", str(options.seconds)],
                capture_output=True, text=True)
            if recorded.returncode != 0:
                fail(f"perf can't record: {recorded.stderr.strip().splitlines()[-1]}")
            services = {pid: name for pid in descendants(load.pid) if (name := program(pid))}
            counts, unnamed = collections.defaultdict(collections.Counter), collections.Counter()
            for pid, frames in samples(data):
                if (service := services.get(pid)) in HOPS:
                    named = hop(service, frames)
                    counts[service][named] += 1
                    if named == UNNAMED:
                        unnamed[service, " < ".join(re.sub(r"^[0-9a-f]+ |\(/.*/|\)$", "", frame)[:60] for frame in frames[:6])] += 1
                elif service:
                    counts[SERVERS[service]]["all"] += 1
        finally:
            if sys.exc_info()[0] is not None:
                load.send_signal(signal.SIGTERM)
            load.wait()
            for pid in [load.pid, *services]:
                for file in (f"/tmp/perf-{pid}.map", f"/tmp/perfinfo-{pid}.map"):
                    pathlib.Path(file).unlink(missing_ok=True)
        if load.returncode != 0:
            log.seek(0)
            fail(log.read().strip().splitlines()[-1])
        if options.unnamed:
            for (service, stack), count in unnamed.most_common(40):
                print(f"{count:5} {service} {stack}", file=sys.stderr)
        report(options, counts, pathlib.Path(f"{work}/result/load.csv").read_text())


def report(options, counts, csv):
    """A table of microseconds per message: the share of a hop in its process, times what load measured for the process."""
    figures = {line.split(",")[4]: float(line.split(",")[5]) for line in csv.strip().split("\n")[1:]}
    lines, total = [], 0.0
    for service, name in FIGURES.items():
        if service not in counts:
            continue
        # CPU-seconds per million deliveries are microseconds per delivery.
        cost = figures[f"{name} CPU-s per million"] * options.members
        total += cost
        whole = sum(counts[service].values())
        lines.append(f"| **{service.removeprefix('AspireChat.')}** | | **{cost:.0f}** |")
        for hop_name, count in counts[service].most_common():
            if count / whole * cost >= 1 and hop_name != "all":
                lines.append(f"| | {hop_name} | {count / whole * cost:.0f} |")
    lines.append(f"| **all** | | **{total:.0f}** |")
    text = f"| process | hop | µs per message, {options.row}, direct |\n|---|---|---:|\n" + "\n".join(lines) + "\n"
    if options.output:
        pathlib.Path(options.output).write_text(text)
    print(text)


main()
