#!/usr/bin/env bash
# Installs what is missing on Debian or Ubuntu, asking nothing: eng/setup.sh servers node chromium
#   servers   redis-server and PostgreSQL, which the AppHost and the tests start themselves, on ports and data of their own
#   node      Node.js (20 or later) with npm, for the tests of the web client
#   chromium  a browser, for the end-to-end tests of the web client
# Does nothing for what is there. A failure is one line on the error stream and a non-zero exit.
set -uo pipefail

fail() {
  echo "setup: $*" >&2
  exit 1
}

has_postgres() {
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: see https://learn.microsoft.com/dotnet/core/install/linux"
dotnet --version >/dev/null 2>&1 || fail "no .NET SDK here fits global.json: $(dotnet --version 2>&1 | grep -m1 -i 'requested sdk version')"

packages=()
for what in "$@"; do
  case $what in
    servers)
      command -v redis-server >/dev/null || packages+=(redis-server)
      has_postgres || packages+=(postgresql)
      ;;
    node)
      command -v node >/dev/null || packages+=(nodejs)
      command -v npm >/dev/null || packages+=(npm)
      ;;
    chromium) command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || packages+=(chromium) ;;
    *) fail "nothing is known as '$what': servers, node and chromium are." ;;
  esac
done
[ ${#packages[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || fail "missing: ${packages[*]}. There is no apt-get here; install them with this system's package manager."
root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || fail "missing: ${packages[*]}. Run once: sudo apt-get install -y ${packages[*]}"
  root=(sudo -n)
fi

# The services that the packages would start are not ours; RUNLEVEL=1 tells their scripts to leave them stopped where that is heeded.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "${packages[@]}" >"$log" 2>&1 </dev/null
}

echo "setup: installing ${packages[*]} …"
if ! install; then
  # A fresh machine has no package lists, an old one has stale ones.
  "${root[@]}" apt-get update -q >"$log" 2>&1 </dev/null || fail "apt-get update failed: $(grep -m1 '^[EW]:' "$log" || tail -n 1 "$log")"
  install || fail "apt-get install ${packages[*]} failed: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")"
fi
