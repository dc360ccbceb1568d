#!/usr/bin/env bash
# Builds a project or the solution quietly: eng/build.sh AppHost. A failure is what the compiler said, and one line that explains it.
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet build "$@" --nologo -v quiet -tl:off -clp:NoSummary >"$log" 2>&1 && exit 0

if grep -qE "NU1301|Unable to load the service index|MSB4236|could not resolve SDK" "$log"; then
  echo "build: the NuGet packages cannot be had: connect this machine to its package source (dotnet nuget list source), then try again." >&2
  exit 1
fi
sort -u "$log" >&2
echo "build: the build of $1 failed (above)." >&2
exit 1
