// SPDX-License-Identifier: Apache-2.0
// Each rule: a stream that triggers it, and one that does not.
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/verify/collector_profile.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/verify/crafted_stream.hpp"

using namespace nfstreamd::test;
using namespace nfstreamd::exporters::verify;
using enum Outcome;

namespace {

constexpr unsigned kVariableLength = 65535;
const CraftedFields kPlain{{8, 4, 1}, {12, 4, 2}, {1, 8, 100}, {2, 8, 1}};

CraftedFields with(const CraftedFields& more, CraftedFields base = kPlain) {
    base.insert(base.end(), more.begin(), more.end());
    return base;
}

}  // namespace

TEST_CASE("CollectorProfile: there are ten, each with a name, and every rule with a claim has its source") {
    std::string names;
    for (const CollectorProfile& profile : collector_profiles()) {
        names += profile.name;
        names += ' ';
        CHECK(find_collector_profile(profile.name) == &profile);
        CHECK_FALSE(profile.title.empty());
        for (const FieldRule& rule : profile.fields) CHECK((rule.outcome == kKept || !rule.reason.source.empty()));
        for (const TemplateRule& rule : profile.templates) CHECK_FALSE(rule.reason.source.empty());
        for (const RecordRule& rule : profile.records) CHECK_FALSE(rule.reason.source.empty());
    }
    CHECK(names == "default nfdump pmacct fixbuf akvorado goflow2 ipfixcol2 logstash telegraf ntopng ");
    CHECK(find_collector_profile("nobody") == nullptr);
}

TEST_CASE("CollectorProfile: a collector that follows the RFCs keeps everything that has a template") {
    CraftedStream s("default");
    s.both(with({{7, 2, 5, 32473}, {1, 8, 5, kReverse}, {96, kVariableLength}}));
    CHECK(s.harmless());
    CHECK(s.count(kKept, "") == 7);
    s.record(999, kPlain);
    CHECK(s.count(kDropped, "records of template 999") == 1);
    CHECK_FALSE(s.harmless());
}

TEST_CASE("CollectorProfile: withdrawals over UDP lose what follows, for everybody") {
    CraftedStream s("default");
    s.both(kPlain).withdraw(300).record(300, kPlain);
    CHECK(s.count(kDropped, "withdrawal of template 300") == 1);
    CHECK(s.count(kDropped, "records of template 300") == 1);
}

TEST_CASE("CollectorProfile: nfdump takes a reverse element that comes later for the forward one") {
    CraftedStream after("nfdump");
    after.both(with({{6, 1, 3}, {6, 1, 3, kReverse}, {152, 8}, {152, 8, 1, kReverse}}));
    CHECK(after.count(kMisread, "reverseTcpControlBits") == 1);
    CHECK(after.count(kMisread, "reverseFlowStartMilliseconds") == 1);
    CHECK(after.count(kKept, "tcpControlBits") == 1);
    CraftedStream alone("nfdump");  // nothing comes that could put it right
    CHECK(alone.both(with({{136, 1, 3, kReverse}})).count(kMisread, "reverseFlowEndReason") == 1);
    CraftedStream before("nfdump");
    before.both(with({{6, 1, 3, kReverse}, {6, 1, 3}}));
    CHECK(before.count(kIgnored, "reverseTcpControlBits") == 1);
    CHECK(before.harmless());
    CraftedStream counters("nfdump");
    counters.both(with({{1, 8, 7, kReverse}, {2, 8, 7, kReverse}, {85, 8, 7, kReverse}}));
    CHECK(counters.harmless());
    CHECK(counters.count(kKept, "reverse") == 3);
}

TEST_CASE("CollectorProfile: nfdump has an application id of four octets, right in NetFlow v9 only") {
    CraftedStream eight("nfdump");
    CHECK(eight.both(with({{95, 8}})).count(kMisread, "applicationId", "garbled") == 1);
    CraftedStream four("nfdump");
    CHECK(four.both(with({{95, 4}})).count(kMisread, "applicationId", "swapped") == 1);
    CraftedStream netflow9("nfdump");
    netflow9.version = 9;
    netflow9.both(with({{95, 4}}));
    CHECK(netflow9.harmless());
    CHECK(netflow9.count(kKept, "applicationId") == 1);
}

TEST_CASE("CollectorProfile: nfdump reads times in milliseconds") {
    for (const unsigned id : {150u, 154u, 156u}) {
        CraftedStream s("nfdump");
        CHECK(s.both(with({{id, id == 150 ? 4u : 8u}})).count(kLost, "flowStart") == 1);
    }
    CraftedStream uptime("nfdump");
    CHECK(uptime.both(with({{22, 4}, {21, 4}})).count(kMisread, "flow", "exchanged") == 2);
    CraftedStream netflow9("nfdump");
    netflow9.version = 9;
    CHECK(netflow9.both(with({{22, 4}, {21, 4}})).harmless());
    CraftedStream milliseconds("nfdump");
    CHECK(milliseconds.both(with({{152, 8}, {153, 8}})).harmless());
}

TEST_CASE("CollectorProfile: nfdump reads names of applications of fixed length, and counts other options as errors") {
    CraftedStream variable("nfdump");
    CHECK(variable.both({{95, 4}, {96, kVariableLength}}, 1).count(kLost, "applicationName") == 1);
    CraftedStream fixed("nfdump");
    CHECK(fixed.both({{95, 4}, {96, 24}}, 1).harmless());
    CraftedStream statistics("nfdump");
    statistics.both({{144, 4}, {41, 8}}, 1);
    CHECK(statistics.count(kIgnored, "options records", "sequence error") == 1);
    CHECK(statistics.harmless());
    CHECK(CraftedStream("nfdump").both({{302, 8}, {305, 4}}, 1).count(kIgnored, "options records") == 0);
}

TEST_CASE("CollectorProfile: nfdump skips private elements and a template of nothing else") {
    CraftedStream s("nfdump");
    s.both(with({{188, kVariableLength, 0, 35632}}));
    CHECK(s.count(kIgnored, "tls_server_name") == 1);
    CHECK(s.harmless());
    CHECK(CraftedStream("nfdump").both({{188, 8, 0, 35632}}).count(kDropped, "flow records") == 1);
}

TEST_CASE("CollectorProfile: pmacct reads flags of one octet") {
    CHECK(CraftedStream("pmacct").both(with({{6, 2, 3}})).count(kMisread, "tcpControlBits") == 1);
    CHECK(CraftedStream("pmacct").both(with({{6, 1, 3}})).harmless());
}

TEST_CASE("CollectorProfile: pmacct wants names of fixed length and ids of 2, 3 or 5 octets") {
    CHECK(CraftedStream("pmacct").both(with({{96, kVariableLength}})).count(kLost, "applicationName") == 1);
    CHECK(CraftedStream("pmacct").both(with({{96, 24}})).harmless());
    CHECK(CraftedStream("pmacct").both({{95, 3}, {96, kVariableLength}}, 1).count(kMisread, "applicationName") == 1);
    for (const unsigned length : {2u, 3u, 5u}) CHECK(CraftedStream("pmacct").both(with({{95, length}})).harmless());
    for (const unsigned length : {4u, 8u})
        CHECK(CraftedStream("pmacct").both(with({{95, length}})).count(kLost, "applicationId") == 1);
}

TEST_CASE("CollectorProfile: pmacct has no way back and takes a template without octets for an event") {
    CraftedStream biflow("pmacct");
    biflow.both(with({{1, 8, 5, kReverse}, {2, 8, 5, kReverse}, {6, 1, 0, kReverse}}));
    CHECK(biflow.count(kLost, "reverse") == 2);
    CHECK(biflow.count(kIgnored, "reverseTcpControlBits") == 1);
    CHECK(CraftedStream("pmacct").both({{8, 4}, {2, 8}}).count(kDropped, "flow records") == 1);
    CHECK(CraftedStream("pmacct").both({{8, 4}, {231, 8}}).harmless());
    CHECK(CraftedStream("pmacct").both({{144, 4}, {41, 8}}, 1).count(kDropped, "") == 0);
    CraftedStream netflow9("pmacct");
    netflow9.version = 9;
    netflow9.both(with({{22, 4}, {21, 4}, {23, 4}, {24, 4}}));
    CHECK(netflow9.count(kMisread, "", "seconds") == 2);
    CHECK(netflow9.count(kLost, "", "way back") == 2);
}

TEST_CASE("CollectorProfile: pmacct reads private elements by primitives, and no lists") {
    CraftedStream s("pmacct");
    s.both(with({{118, 2, 91, 35632}, {291, kVariableLength}}));
    CHECK(s.count(kIgnored, "", "primitive") == 1);
    CHECK(s.count(kIgnored, "basicList") == 1);
    CHECK(s.harmless());
}

TEST_CASE("CollectorProfile: libfixbuf must be told of private elements first") {
    const CraftedFields told{{346, 4, 32473}, {303, 2, 7}, {339, 1, 2}};
    CraftedStream alien("fixbuf");
    alien.both(with({{7, 2, 5, 32473}, {8, 1, 5, 32473}}));
    CHECK(alien.count(kMisread, "_32473_7") == 1);
    CHECK(alien.count(kIgnored, "_32473_8") == 1);
    CraftedStream text("fixbuf");
    text.both(with({{188, kVariableLength, 0, 35632}}));
    CHECK(text.count(kIgnored, "tls_server_name") == 1);
    CHECK(text.harmless());
    CraftedStream known("fixbuf");
    known.both(told, 2, 400).both(with({{7, 2, 5, 32473}}));
    CHECK(known.harmless());
    alien.both(told, 2, 400).record(300, with({{7, 2, 5, 32473}, {8, 1, 5, 32473}}));
    CHECK(alien.count(kMisread, "_32473_7") == 1);  // no more from then on
}

TEST_CASE("CollectorProfile: libfixbuf cannot make strings of fixed length variable, nor read NetFlow v5") {
    CHECK(CraftedStream("fixbuf").both(with({{96, 24}})).count(kDropped, "flow records") == 1);
    CHECK(CraftedStream("fixbuf").both(with({{96, kVariableLength}})).harmless());
    std::vector<std::uint8_t> netflow5(72, 0);
    netflow5[1] = 5;
    netflow5[3] = 1;
    CHECK(CraftedStream("fixbuf").datagram(netflow5).count(kDropped, "flow records", "v5") == 1);
    CHECK(CraftedStream("default").datagram(netflow5).harmless());
}

TEST_CASE("CollectorProfile: akvorado discards flows without sampling rate or interfaces") {
    const CraftedFields flow = with({{10, 4, 3}, {14, 4, 4}});
    const CraftedFields sampler{{302, 8, 1}, {305, 4, 1}, {306, 4, 0}};
    CraftedStream without("akvorado");
    CHECK(without.both(flow).count(kDropped, "flow records", "sampling rate missing") == 1);
    CraftedStream announced("akvorado");
    announced.both(sampler, 1, 400).both(flow);
    CHECK(announced.harmless());
    announced.domain = 5;  // another domain has not been told
    CHECK(announced.both(flow).count(kDropped, "flow records", "sampling rate missing") == 1);
    CHECK(CraftedStream("akvorado").both(with({{10, 4, 3}, {34, 4, 1}})).harmless());
    CraftedStream two("akvorado");
    two.both(sampler, 1, 400).record(400, {{302, 8, 2}, {305, 4, 1}, {306, 4, 9}}).both(flow);
    CHECK(two.count(kMisread, "flow records", "one rate") == 1);
    CraftedStream zero("akvorado");
    zero.both(sampler, 1, 400).both(with({{10, 4, 0}, {14, 4, 0}}));
    CHECK(zero.count(kDropped, "flow records", "interfaces missing") == 1);
    CHECK(zero.both(kPlain, 0, 301).count(kDropped, "flow records", "interfaces missing") == 2);
}

TEST_CASE("CollectorProfile: akvorado has no totals, odd nanoseconds, no applications") {
    const CraftedFields base{{1, 8, 1}, {2, 8, 1}, {10, 4, 3}, {34, 4, 1}};
    CHECK(CraftedStream("akvorado").both(with({{85, 8}}, base)).count(kLost, "octetTotalCount") == 1);
    CHECK(CraftedStream("akvorado").both(with({{156, 8}}, base)).count(kMisread, "flowStartNanoseconds") == 1);
    CraftedStream s("akvorado");
    s.both(with({{96, kVariableLength}, {152, 8}, {7, 2, 0, 32473}, {1, 8, 0, kReverse}}, base));
    CHECK(s.harmless());
    CHECK(s.count(kIgnored, "") == 3);
    CHECK(s.count(kKept, "reverseOctetDeltaCount") == 1);
}

TEST_CASE("CollectorProfile: goflow2 reads rates of four octets, 305 alone, one for a domain") {
    CHECK(CraftedStream("goflow2").both({{302, 8}, {34, 2, 5}}, 1).count(kMisread, "samplingInterval") == 1);
    CHECK(CraftedStream("goflow2").both({{302, 8}, {34, 4, 5}}, 1).harmless());
    CraftedStream spaces("goflow2");
    CHECK(spaces.both({{302, 8}, {305, 4, 1}, {306, 4, 99}}, 1).count(kMisread, "options records", "306") == 1);
    CHECK(CraftedStream("goflow2").both({{302, 8}, {305, 4, 1}, {306, 4, 0}}, 1).harmless());
    CraftedStream two("goflow2");
    const CraftedFields legacy{{149, 4}, {34, 4, 10}}, other{{149, 4}, {34, 4, 20}};
    two.both(legacy, 1, 400).both(kPlain);
    CHECK(two.harmless());
    two.record(400, other).record(300, kPlain);
    CHECK(two.count(kMisread, "flow records", "one rate") == 1);
    CHECK(CraftedStream("goflow2").both(with({{34, 4, 5}})).count(kLost, "samplingInterval") == 1);
}

TEST_CASE("CollectorProfile: goflow2 skips reverse elements and overwrites bytes by 23") {
    CraftedStream biflow("goflow2");
    CHECK(biflow.both(with({{1, 8, 1, kReverse}, {152, 8, 1, kReverse}})).count(kLost, "reverse") == 1);
    CHECK(biflow.count(kIgnored, "reverse") == 1);
    CraftedStream netflow9("goflow2");
    netflow9.version = 9;
    CHECK(netflow9.both(with({{23, 4}, {24, 4}})).count(kMisread, "", "overwrite") == 2);
    CHECK(CraftedStream("goflow2").both(with({{23, 8}})).count(kMisread, "postOctetDeltaCount") == 1);
    CHECK(CraftedStream("goflow2").both({{8, 4}, {85, 8}}).count(kLost, "octetTotalCount") == 1);
    CHECK(CraftedStream("goflow2").both(with({{85, 8}, {239, 1}, {96, 9}})).harmless());
}

TEST_CASE("CollectorProfile: ipfixcol2 and logstash forget templates that are not sent again") {
    for (const auto& [profile, lifetime] : {std::pair("ipfixcol2", 1800u), std::pair("logstash", 4000u)}) {
        CraftedStream s(profile);
        s.both(kPlain);
        s.export_time += lifetime;
        CHECK(s.record(300, kPlain).harmless());
        s.export_time += 1;
        CHECK(s.record(300, kPlain).count(kDropped, "flow records", "forgotten") == 1);
        CHECK(s.both(kPlain).count(kDropped, "flow records", "forgotten") == 1);
    }
    CHECK(CraftedStream("ipfixcol2").both(with({{7, 2, 0, 32473}})).count(kIgnored, "_32473_7") == 1);
}

TEST_CASE("CollectorProfile: logstash rejects templates with elements it does not know, or twice the same") {
    CHECK(CraftedStream("logstash").both(with({{7, 2, 0, 32473}})).count(kDropped, "flow records", "rejects") == 1);
    CHECK(CraftedStream("logstash").both(with({{118, 2, 0, 35632}})).count(kDropped, "flow records", "rejects") == 1);
    CHECK(CraftedStream("logstash").both(with({{12'000, 2}})).count(kDropped, "flow records", "rejects") == 1);
    CHECK(CraftedStream("logstash").both(with({{1, 8, 0, kReverse}})).harmless());
    CHECK(CraftedStream("logstash").both(with({{1, 8}})).count(kDropped, "flow records", "twice") == 1);
    CHECK(CraftedStream("logstash").both(with({{95, 4}})).count(kMisread, "applicationId", "text") == 1);
}

TEST_CASE("CollectorProfile: logstash fails on padding, and takes senders of one domain for one") {
    CraftedStream padded("logstash");
    padded.padding = 2;
    CHECK(padded.both(kPlain).count(kDropped, "padding of template 300") == 1);
    CraftedStream clash("logstash");
    clash.both(kPlain);
    clash.source = "b";
    CHECK(clash.both(kPlain).harmless());  // the same template
    clash.source = "c";
    CHECK(clash.both({{8, 4}, {1, 8}}).count(kMisread, "template 300 of domain 0") == 1);
    CraftedStream other("default");
    other.both(kPlain);
    other.source = "b";
    CHECK(other.both({{8, 4}, {1, 8}}).harmless());
}

TEST_CASE("CollectorProfile: telegraf and ntopng ignore what is not theirs") {
    CraftedStream telegraf("telegraf");
    telegraf.both(with({{7, 2, 0, 32473}, {291, kVariableLength}})).both({{144, 4}, {41, 8}}, 1, 400);
    CHECK(telegraf.harmless());
    CHECK(telegraf.count(kIgnored, "") == 4);
    CHECK(telegraf.both(with({{6, 1, 0, kReverse}})).harmless());
    CHECK(telegraf.both(with({{1, 8, 0, kReverse}})).count(kLost, "reverseOctetDeltaCount") == 1);
    CraftedStream ntopng("ntopng");
    ntopng.both(with({{96, 8}, {118, 2, 0, 35632}, {7, 2, 0, 32473}}));
    CHECK(ntopng.harmless());
    CHECK(ntopng.count(kIgnored, "") == 2);
    CHECK(ntopng.both(with({{1, 8, 0, kReverse}})).count(kLost, "reverseOctetDeltaCount") == 1);
    CraftedStream netflow9("ntopng");
    netflow9.version = 9;
    CHECK(netflow9.both(with({{23, 4}, {24, 4}})).harmless());
}
#endif
