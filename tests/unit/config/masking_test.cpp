// SPDX-License-Identifier: Apache-2.0
#include "config/masking.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd::config;

TEST_CASE("masking: passwords and queries of the URLs in a text") {
    CHECK(without_url_secrets("") == "");
    CHECK(without_url_secrets("a://") == "a://");
    CHECK(without_url_secrets("servers: \"nats://me:hunter2@host:4222\" is not nats://HOST:PORT") ==
          "servers: \"nats://me:********@host:4222\" is not nats://HOST:PORT");
    CHECK(without_url_secrets("http://a/?x=1&password=hunter2&y=2 http://b/?Token=hunter2") ==
          "http://a/?x=1&password=********&y=2 http://b/?Token=********");
    CHECK(without_url_secrets("http://me:hunter2?@b") == "http://me:hunter2?@b");  // no authority has a question mark
    for (const char* text :
         {"udp://[2001:db8::1]:4739", "http://me@host/a:b@c?d", "http://host/?&=&a", "password=1", "a: b"})
        CHECK(without_url_secrets(text) == text);
}

TEST_CASE("masking: headers that are secrets by their name") {
    CHECK(without_header_secret("X-Api-Key: hunter2") == "X-Api-Key: ********");
    CHECK(without_header_secret("COOKIE:hunter2") == "COOKIE: ********");
    for (const char* text : {"Accept: text", "token", "", "key://a", ":"}) CHECK(without_header_secret(text) == text);
}
