# Shared by the parts of dev/test --all: the packages that they want, and real servers that are only unpacked. Needs
# dev/lib.sh and skip.

# What the parts of --all want besides a build; as somebody who may not install it they skip.
set_up_instruments() {
    have apt-get && [ "$(id -u)" -eq 0 ] || skip 'not root on Debian: only what is installed is used'
    # shellcheck disable=SC2046 # words are wanted
    install_packages $(missing_for_instruments)
    status=$?
    unpack_exim || status=1
    unpack_dovecot || say 'Without Dovecot 2.4: its tests will be skipped'
    return $status
}

missing_for_instruments() {
    for pair in clang:clang valgrind:valgrind openssl:openssl nm:binutils; do
        have "${pair%%:*}" || echo "${pair#*:}"
    done
    ls "$(clang -print-resource-dir 2>/dev/null)"/lib/*/*clang_rt.fuzzer* >/dev/null 2>&1 || echo libclang-rt-dev
    perl -MPod::Coverage -e 1 2>/dev/null || echo libpod-coverage-perl
    have postfix || have exim4 || echo postfix
    have dovecot || echo dovecot-core
    [ -e /usr/lib/dovecot/lmtp ] || echo dovecot-lmtpd
    # Cyrus SASL behind Postfix and Exim: the one server of SCRAM-SHA-512; saslpasswd2 makes its accounts
    have saslpasswd2 || echo sasl2-bin
    ls /usr/lib/*/sasl2/libscram.so >/dev/null 2>&1 || echo libsasl2-modules
    # DIGEST-MD5 by an object of the program's
    perl -MAuthen::SASL -e 1 2>/dev/null || echo libauthen-sasl-perl
    missing_programs
}

# Programs that send mail with Net::SMTP, for xt/programs_*.t, and what the examples want.
missing_programs() {
    for pair in MIME::Lite:libmime-lite-perl Email::Sender:libemail-sender-perl Email::Stuffer:libemail-stuffer-perl \
        Mail::Mailer:libmailtools-perl Mail::Transport::SMTP:libmail-transport-perl \
        IO::Socket::SSL:libio-socket-ssl-perl CGI:libcgi-pm-perl DBD::SQLite:libdbd-sqlite3-perl \
        Plack:libplack-perl; do
        perl -M"${pair%:*}" -e 1 2>/dev/null || echo "${pair##*:}"
    done
    [ -e "$(git --exec-path 2>/dev/null)/git-send-email" ] || echo git-email
    # the pages, behind a web server and in a browser
    have apache2 || echo apache2-bin
    [ -e /usr/lib/apache2/modules/mod_perl.so ] || echo libapache2-mod-perl2
    have chromium-headless-shell || have chromium || echo chromium-headless-shell
}

# Debian does not let Postfix and Exim be installed together: this one is only unpacked, below build/, and gets its
# libraries and the user that it becomes.
unpack_exim() {
    have exim4 && return 0
    cache=$WORK/build/exim
    if [ ! -x "$cache/usr/sbin/exim4" ]; then
        say "Unpacking exim4-daemon-heavy into $cache"
        mkdir -p "$cache" && cd "$cache" && quietly exim-download apt-get -qq download exim4-daemon-heavy &&
            dpkg -x exim4-daemon-heavy_*.deb . && chmod u-s usr/sbin/exim4 || return 1
        cd "$WORK" || return 1
    fi
    libraries=$(dpkg-deb -f "$cache"/exim4-daemon-heavy_*.deb Depends | tr ',' '\n' |
        sed -n 's/^ *\(lib[^ ]*\).*/\1/p')
    # shellcheck disable=SC2046,SC2086 # words are wanted
    install_packages $(not_installed $libraries) || return 1
    getent passwd Debian-exim >/dev/null && return 0
    say 'Adding the system user Debian-exim, whom Exim becomes'
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin Debian-exim
}

# Channel binding wants Dovecot 2.4, which is in the next Debian only: unpacked with its libraries; the tests start it from
# there as a root folder of its own. Outside the checkout: MakeMaker's look around would lose its way in its links.
DOVECOT=/var/cache/net-smtp-authc/dovecot
unpack_dovecot() {
    root=$DOVECOT
    [ ! -d "$root" ] || return 0
    mkdir -p "${root%/*}" || return 1
    say "Unpacking dovecot-submissiond of the next Debian into $root"
    apt=${root%/*}/dovecot-apt
    apt_of_next_debian "$apt" || return 1
    ( cd "$apt/archives" && APT_CONFIG=$apt/apt.conf && export APT_CONFIG &&
        quietly dovecot-update apt-get -qq update &&
        apt-get -qq -s --no-install-recommends install dovecot-submissiond >"$apt/wanted" &&
        quietly dovecot-download apt-get -qq download $(
            sed -n 's/^Inst \(lib[^ ]*\|zlib1g\|dovecot-core\|dovecot-submissiond\) .*/\1/p' "$apt/wanted") ) || return 1
    mkdir -p "$apt/root/tmp" && chmod 1777 "$apt/root/tmp" &&
        ln -s usr/lib "$apt/root/lib" && ln -s usr/lib64 "$apt/root/lib64" || return 1
    for archive in "$apt"/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$archive" | tar -C "$apt/root" --keep-directory-symlink -xf - || return 1
    done
    # it belongs to a module that was not unpacked, and Dovecot asks for each that is there
    rm -f "$apt/root/usr/lib/dovecot/modules/settings/libpigeonhole_settings.so"
    furnish_root "$apt/root" && mv "$apt/root" "$root" && rm -rf "$apt"
}

# What a program wants to find in a root folder besides its libraries. Where no device can be had a file does for null.
furnish_root() {
    mkdir "$1/dev" && cd "$1/dev" || return 1
    mknod -m 666 null c 1 3 2>/dev/null && : >null 2>/dev/null || { rm -f null && : >null && chmod 666 null; }
    cd "$WORK" && echo 'nobody:x:65534:65534::/:/bin/false' >"$1/etc/passwd" && echo 'nogroup:x:65534:' >"$1/etc/group"
}

# A configuration for apt with lists of its own in the folder, so that nothing else here comes to know that Debian.
apt_of_next_debian() {
    rm -rf "$1" && mkdir -p "$1/lists/partial" "$1/archives/partial" && : >"$1/status" || return 1
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^Debian Debian //p' | head -n 1)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$1/sources.list"
    cat >"$1/apt.conf" <<CONF
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$1/lists";
Dir::State::Status "$1/status";
Dir::Cache::Archives "$1/archives";
Dir::Cache::PkgCache "";
Dir::Cache::SrcPkgCache "";
APT::Sandbox::User "root";
CONF
}

not_installed() {
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}
