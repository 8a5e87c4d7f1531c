// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/listen_address.hpp"

#include <doctest/doctest.h>

#include <string>

#include "daemon/metrics/metrics_server.hpp"

namespace nfstreamd::daemon {
namespace {

std::string listens(std::string_view text) {
    const auto parsed = parse_listen_address(text);
    if (!parsed) return "refused: " + parsed.error().message;
    const auto& endpoint = parsed.value();
    return endpoint.address().to_string() + " " + std::to_string(endpoint.port());
}

TEST_CASE("parse_listen_address: addresses of both families, and localhost") {
    CHECK(listens("127.0.0.1:9587") == "127.0.0.1 9587");
    CHECK(listens("0.0.0.0:1") == "0.0.0.0 1");
    CHECK(listens("localhost:65535") == "127.0.0.1 65535");
    CHECK(listens("[::1]:9587") == "::1 9587");
    CHECK(listens("[::]:80") == ":: 80");
}

TEST_CASE("parse_listen_address: what is no address and port is refused, and is said why") {
    const auto refused = [](std::string_view text, std::string_view why) {
        CAPTURE(text);
        const auto said = listens(text);
        CHECK(said.starts_with("refused: '" + std::string(text) + "' is no ADDRESS:PORT"));
        CHECK(said.find(why) != std::string::npos);
    };
    refused("127.0.0.1", "the port is missing");
    refused("", "the port is missing");
    for (const char* text : {"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1: 1",
                             "127.0.0.1:1x", "127.0.0.1:-1", "127.0.0.1:99999999999999999999"})
        refused(text, "the port is a number from 1 to 65535");
    refused(":9587", "the address is missing");
    refused("[]:9587", "the address is missing");
    for (const char* text :
         {"probe.example:9587", "127.0.0.1.1:9587", "*:9587", "http://127.0.0.1:9587", "[fe80::1:80"})
        refused(text, "the address is not one in numbers");
    for (const char* text : {"::1:9587", "[127.0.0.1]:9587"}) refused(text, "stands in brackets");
}

TEST_CASE("metrics: a page without an address is served on loopback, nothing unless it is wanted") {
    CHECK(listen_text({}) == "");
    CHECK(listen_text({.listen = "", .page = true, .where = ""}) == "127.0.0.1:9587");
    CHECK(listen_text({.listen = "[::1]:1", .page = true, .where = ""}) == "[::1]:1");
    CHECK(check_metrics({}));
    CHECK(check_metrics({.listen = "127.0.0.1:9587", .page = false, .where = ""}));
    const auto refused = check_metrics({.listen = "9587", .page = false, .where = "x.yaml:3:11"});
    REQUIRE(!refused);
    CHECK(refused.error().where == "x.yaml:3:11");
}

}  // namespace
}  // namespace nfstreamd::daemon
