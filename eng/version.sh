#!/usr/bin/env bash
# Prints the version of the packages: that of the last tag v1.2.3, or what comes after it, as MinVer says. NuGet and npm packages have it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

project=Client/Client.csproj
# The working of MinVer needs its package.
dotnet restore "$project" --nologo -v quiet >&2
dotnet msbuild "$project" -nologo -t:MinVer -p:TargetFramework=net10.0 -p:MinVerSkip=false -p:MinVerVerbosity=quiet -getProperty:MinVerVersion
