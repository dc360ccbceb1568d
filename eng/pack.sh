#!/usr/bin/env bash
# Makes the packages for NuGet and npm, of one version, into a folder: eng/pack.sh [folder], by default artifacts/packages.
# The same sources give the same packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

eng/setup.sh node
folder=$(realpath -m "${1:-artifacts/packages}")
mkdir -p "$folder"
# One version at a time, so that a pattern for the name finds one file.
rm -f "$folder"/AspireChat.Client.*nupkg "$folder"/aspirechat-*.tgz
dotnet pack Client/Client.csproj -o "$folder" --nologo -v quiet
# The bundle's tools.
[ -d web/e2e/node_modules ] || npm ci --prefix web/e2e --no-audit --no-fund --loglevel=error
node web/pack.mjs "$folder"
