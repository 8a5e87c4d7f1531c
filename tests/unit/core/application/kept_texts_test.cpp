// SPDX-License-Identifier: Apache-2.0
#include "core/application/kept_texts.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;

TEST_CASE("without_secrets: user and password before a host go, an @ elsewhere stays") {
    CHECK(without_secrets("") == "");
    CHECK(without_secrets("www.example.org/a?b=c") == "www.example.org/a?b=c");
    CHECK(without_secrets("http://user:secret@www.example.org/a") == "http://www.example.org/a");
    CHECK(without_secrets("http://user:s@cret@www.example.org") == "http://www.example.org");
    CHECK(without_secrets("user:secret@www.example.org/a") == "www.example.org/a");
    CHECK(without_secrets("user:secret@www.example.org") == "www.example.org");
    CHECK(without_secrets("www.example.org/~user@home") == "www.example.org/~user@home");
    CHECK(without_secrets("www.example.org?mail=user@home") == "www.example.org?mail=user@home");
    CHECK(without_secrets("/relative/path@x") == "/relative/path@x");
    CHECK(without_secrets("www.example.org/?to=http://a:b@c/") == "www.example.org/?to=http://a:b@c/");
}

TEST_CASE("without_secrets: parameters named like a password lose their value") {
    CHECK(without_secrets("h/login?user=me&password=secret&x=1") == "h/login?user=me&password=&x=1");
    CHECK(without_secrets("h/login?PassWd=secret") == "h/login?PassWd=");
    CHECK(without_secrets("h/login?pwd=secret;y=2") == "h/login?pwd=;y=2");
    CHECK(without_secrets("h/login?password") == "h/login?password");
    CHECK(without_secrets("h/login?a=password") == "h/login?a=password");
    CHECK(without_secrets("h/login?") == "h/login?");
    CHECK(without_secrets("h/login?&&=&") == "h/login?&&=&");
}
