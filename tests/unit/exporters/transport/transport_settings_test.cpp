// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/transport_settings.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "config/check.hpp"
#include "tests/support/certificates.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;
using namespace nfstreamd::test;
using namespace std::chrono_literals;
using config::Settings;

namespace {

Settings settings() {
    config::Problems problems;
    return config::check_table(config::map_node({}), "", kTransportSettings, {}, problems);
}

Endpoint endpoint(std::string_view text) {
    return parse_endpoint(text, kIpfixPorts).value();
}

struct Secure {
    Certificates certificates;
    Settings written = settings();

    Secure() {
        certificates.make("probe", "ca", "DNS:probe.example");
        set("tls.ca", certificates.pem("ca"));
        set("tls.certificate", certificates.pem("probe"));
        set("tls.key", certificates.key("probe"));
    }
    void set(const std::string& name, const std::string& value) { written.set(name, value, name + " here", true); }
    // The error when one setting is another.
    Error error_with(const std::string& name, const std::string& value) const {
        Settings other = written;
        other.set(name, value, name + " here", true);
        const auto made = make_message_transport(endpoint("dtls://127.0.0.1"), other);
        REQUIRE_FALSE(made);
        CHECK(made.error().where == name + " here");
        CHECK(made.error().message.find(name + ": ") == 0);
        return made.error();
    }
};

}  // namespace

TEST_CASE("transport settings: by default as the options are by default") {
    const auto options = transport_options(settings());
    REQUIRE(options);
    const TransportOptions other;
    CHECK(options.value().source_address.empty());
    CHECK(options.value().mtu == other.mtu);
    CHECK(options.value().connect_timeout == other.connect_timeout);
    CHECK(options.value().stall_timeout == other.stall_timeout);
    CHECK(options.value().resolve_interval == other.resolve_interval);
    CHECK(options.value().session_lifetime == other.session_lifetime);
}

TEST_CASE("transport settings: a table of a type has its own settings first, then these") {
    static constexpr config::SettingSpec kOwn[] = {{"one", config::SettingType::kBool, "true"}};
    constexpr auto kJoined = join_settings(kOwn, kTransportSettings);
    static_assert(kJoined.size() == 1 + kTransportSettings.size());
    CHECK(kJoined.front().name == "one");
    CHECK(kJoined.back().name == kTransportSettings.back().name);
}

TEST_CASE("transport settings: a source that is no address is an error with its place") {
    auto bad = settings();
    bad.set("source_address", std::string("eth0"), "here", true);
    const auto made = make_message_transport(endpoint("udp://127.0.0.1"), bad);
    REQUIRE_FALSE(made);
    CHECK(made.error().where == "here");
    CHECK(made.error().message.find("source_address") == 0);
}

TEST_CASE("transport settings: each protocol has its transport, with the default port of its kind") {
    const Secure secure;
    for (const char* text : {"udp://127.0.0.1:4739", "tcp://127.0.0.1:4739", "sctp://127.0.0.1:4739",
                             "tls://127.0.0.1:4740", "dtls://127.0.0.1:4740"}) {
        const std::string written(text);
        const auto made = make_message_transport(endpoint(written.substr(0, written.rfind(':'))), secure.written);
        REQUIRE(made);
        CHECK(made.value()->description() == written);
        const bool datagrams = written.starts_with("udp") || written.starts_with("dtls");
        CHECK(made.value()->is_datagram() == datagrams);
        CHECK((made.value()->message_limit() > 0) == datagrams);
    }
}

TEST_CASE("transport settings: files of TLS that are missing, unreadable or do not fit are named with the setting") {
    Secure secure;
    const auto contains = [](const Error& error, std::string_view text) {
        CAPTURE(error.message);
        CHECK(error.message.find(text) != std::string::npos);
    };
    for (const char* name : {"tls.ca", "tls.certificate", "tls.key"}) {
        contains(secure.error_with(name, ""), "is missing");
        contains(secure.error_with(name, "/nowhere/x.pem"), "cannot read /nowhere/x.pem: No such file");
        contains(secure.error_with(name, "/tmp"), "is not a file");
        std::ofstream(secure.certificates.path("empty")) << "";
        contains(secure.error_with(name, secure.certificates.path("empty")), secure.certificates.path("empty"));
    }
    contains(secure.error_with("tls.key", secure.certificates.key("ca")), "is not the key of the certificate");
    const std::string locked = secure.certificates.path("locked.key");
    REQUIRE(std::system(("openssl ec -aes128 -passout pass:x -in " + secure.certificates.key("probe") + " -out " +
                         locked + " 2>/dev/null")
                            .c_str()) == 0);
    contains(secure.error_with("tls.key", locked), "without passphrase");
    contains(secure.error_with("tls.ciphers", "NONE-SUCH"), "NONE-SUCH");
    contains(secure.error_with("tls.ciphers", "eNULL:aNULL"), "no cipher");
}
