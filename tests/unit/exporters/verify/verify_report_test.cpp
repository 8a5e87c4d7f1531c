// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/verify/verify_report.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/verify/crafted_stream.hpp"

using namespace nfstreamd::test;
using namespace nfstreamd::exporters::verify;

TEST_CASE("verify report: the worst is first, with why, what to set and where the claim is from") {
    CraftedStream s("pmacct");
    const CraftedFields fields{{8, 4}, {1, 8}, {6, 2}, {7, 2, 0, 32473}};
    s.both(fields).record(300, fields);
    const std::string text = report_text(s.verifier());
    CHECK(text.find(
              "pmacct (nfacctd of pmacct 1.7.7): 3 messages, 2 records\nMISREAD  tcpControlBits (6): 2 records\n") ==
          0);
    CHECK(text.find("otherwise tcp_flags is 0 ([run] nfacctd 1.7.7)\n         set: profile: pmacct") != text.npos);
    CHECK(text.find("kept     sourceIPv4Address (8): 2 records, octetDeltaCount (1): 2 records\n") != text.npos);
    CHECK(text.find("not as it was sent: 0 dropped, 1 misread, 0 lost\n") != text.npos);
    const std::string json = report_json(s.verifier());
    CHECK(json.find("{\"profile\":\"pmacct\",\"outcome\":\"misread\",\"subject\":\"tcpControlBits (6)\",\"count\":2,"
                    "\"units\":\"records\",\"why\":\"") == 0);
    CHECK(
        json.find("{\"profile\":\"pmacct\",\"verdict\":\"harm\",\"messages\":3,\"records\":2,\"kept\":2,\"ignored\":1,"
                  "\"lost\":0,\"misread\":1,\"dropped\":0}\n") != json.npos);
}

TEST_CASE("verify report: a stream without harm says so, one without records does not") {
    CraftedStream good("default");
    good.both({{8, 4}, {1, 8}});
    CHECK(report_text(good.verifier()).find("nothing would be dropped, misread or lost\n") != std::string::npos);
    CHECK(report_json(good.verifier()).find("\"verdict\":\"fine\"") != std::string::npos);
    CHECK(report_text(CraftedStream("default").verifier()).find("nothing came") != std::string::npos);
}

TEST_CASE("verify report: strangers with many elements do not make it grow without bound") {
    CraftedStream s("default");
    for (unsigned i = 0; i < 20'000; i += 100) {
        CraftedFields fields;
        for (unsigned k = 0; k < 100; ++k) fields.push_back({(i + k) % 16'000 + 1, 1, 0, 1000 + i / 16'000});
        s.both(fields, 0, 256 + i / 100);
    }
    CHECK(s.verifier().findings().size() <= 10'001);
    CHECK(s.count(Outcome::kKept, "others") > 0);
}
#endif
