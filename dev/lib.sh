# Shared by dev/demo and dev/test: installs what is missing, finds a place to build in, builds. Needs TOP.
# POSIX sh; nothing but Debian's essential packages may be assumed here.

say()  { printf '== %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command with its words in build/NAME.log; shows the end of them when it fails.
quietly() {
    log=$WORK/build/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null && return 0
    printf 'This failed: %s\n' "$*"
    tail -n 40 "$log"
    return 1
}

# The Debian packages that a build still needs.
missing_for_build() {
    perl -MExtUtils::MakeMaker -MExtUtils::ParseXS -MTest::Harness -MTest::More -e 1 2>/dev/null || echo perl
    have make || echo make
    cc=$(perl -MConfig -e 'print $Config{cc}' 2>/dev/null) || cc=cc
    have "${cc%% *}"    || echo gcc
    has_header stdlib.h || echo libc6-dev
    [ -n "${OPENSSL_PREFIX:-}" ] || has_header openssl/ssl.h || echo libssl-dev
}

has_header() {
    printf '#include <%s>\n' "$1" | ${cc%% *} -E -x c - >/dev/null 2>&1
}

# Installs Debian packages, or says which line would. No service starts by it, nothing is removed for it.
install_packages() {
    [ $# -gt 0 ] || return 0
    if ! have apt-get; then
        say "Missing, in Debian's names: $*. No apt-get here: please install them the way of this system."
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        say "Missing: $*. As root:"
        printf '    apt-get update && apt-get install -y --no-install-recommends %s\n' "$*"
        return 1
    fi
    say "Installing with apt-get: $*"
    (
        DEBIAN_FRONTEND=noninteractive
        export DEBIAN_FRONTEND
        hold_services
        quietly apt-update apt-get -qq -o DPkg::Lock::Timeout=120 update || say "No update; trying without"
        quietly apt-install apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 \
            --no-install-recommends --no-remove install "$@"
    )
}

# For the subshell that calls it: a policy that keeps new packages from starting their services.
hold_services() {
    policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || return 0
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT HUP TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

# WORK: the checkout where all of it is ours to write, else a copy that goes when we go.
choose_work() {
    WORK=$TOP
    if ! is_ours "$TOP"; then
        WORK=$(mktemp -d "${TMPDIR:-/tmp}/smtp-authc-XXXXXXXX") || exit 1
        trap 'rm -rf "$WORK"' EXIT
        trap 'exit 130' INT HUP TERM
        say "$TOP is not ours to write: building in a copy, $WORK"
        tar -C "$TOP" --exclude=./.git --exclude=./build --exclude=./blib --exclude=./Makefile \
            --exclude=./pm_to_blib --exclude=./SMTPAuth.c --exclude='*.o' -cf - . |
            tar -C "$WORK" --no-same-owner -xf - || exit 1
        chmod -R u+w "$WORK"
    fi
    mkdir -p "$WORK/build" && cd "$WORK" || exit 1
}

is_ours() {
    [ -w "$1" ] && [ -z "$(find "$1" -name .git -prune -o ! -type l \( ! -user "$(id -u)" -o ! -writable \) -print |
        head -n 1)" ]
}

build() {
    say "Building in $WORK"
    rm -rf blib pm_to_blib
    quietly makefile perl Makefile.PL && quietly make make -j2
}
