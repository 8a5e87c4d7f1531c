// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/flow_list.hpp"

#include <doctest/doctest.h>

namespace nfstreamd::ctl {

TEST_CASE("flow list: a line for each flow, hosts made printable") {
    const auto list = flow_list(
        R"({"flows":[{"protocol":6,"src_ip":"10.0.0.1","src_port":40000,"dst_ip":"2001:db8::1","dst_port":443,)"
        R"("src2dst_packets":5,"dst2src_packets":4,"src2dst_bytes":500,"dst2src_bytes":4000,)"
        R"("bidirectional_duration_ms":1234,"application_name":"TLS","requested_server_name":"a\u001b[2Jb"},)"
        R"({"protocol":47,"src_ip":"10.0.0.1","src_port":0,"dst_ip":"10.0.0.2","dst_port":0,)"
        R"("src2dst_packets":1,"dst2src_packets":0,"src2dst_bytes":40,"dst2src_bytes":0,)"
        R"("bidirectional_duration_ms":0,"application_name":null}],)"
        R"("looked_at":10,"matching":3,"complete":false})");
    REQUIRE_MESSAGE(list.has_value(), (list ? "" : list.error().message));
    const std::string& text = list.value();
    CHECK(text.find("tcp    10.0.0.1:40000  [2001:db8::1]:443       5       4       500      4000    1.234  TLS "
                    "a\\x1b[2Jb\n") != std::string::npos);
    CHECK(text.find("\x1b") == std::string::npos);
    CHECK(text.find("47     10.0.0.1:0") != std::string::npos);
    CHECK(text.find("2 of 3 flows that match, of 10 in the flow cache so far") != std::string::npos);
}

TEST_CASE("flow list: what plugins have given a flow stands below it") {
    const std::string flow = R"({"protocol":6,"src_ip":"10.0.0.1","src_port":1,"dst_ip":"10.0.0.2","dst_port":443,)"
                             R"("src2dst_packets":5,"dst2src_packets":4,"src2dst_bytes":500,"dst2src_bytes":4000,)"
                             R"("bidirectional_duration_ms":1234)";
    const auto list = flow_list("{\"flows\":[" + flow +
                                R"(,"udps.n":3,"udps.none":null,"udps.sizes":[60,-1],"udps.who":"a\u001bb"},)" + flow +
                                R"(,"udps.n":null}],"looked_at":2,"matching":2,"complete":true})");
    REQUIRE_MESSAGE(list.has_value(), (list ? "" : list.error().message));
    CHECK(list.value().find("\n    udps.n 3, udps.sizes [60 -1], udps.who a\\x1bb\ntcp ") != std::string::npos);
    CHECK(list.value().find("none") == std::string::npos);
}

TEST_CASE("flow list: an error of the daemon and nonsense are errors") {
    CHECK(flow_list(R"({"error":"filter: \u001b7"})").error().message == "filter: \\x1b7");
    CHECK_FALSE(flow_list("{}").has_value());
    CHECK_FALSE(flow_list("").has_value());
}

}  // namespace nfstreamd::ctl
