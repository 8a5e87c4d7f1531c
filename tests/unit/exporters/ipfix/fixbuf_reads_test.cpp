// SPDX-License-Identifier: Apache-2.0
// libfixbuf as a collector of what our encoder writes.
#ifdef NFSTREAMD_WITH_IPFIX
#include <doctest/doctest.h>
#include <fixbuf/public.h>

#include <cstring>

#include "core/base/utf8.hpp"
#include "tests/unit/exporters/ipfix/random_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

struct Collected {  // in the machine's byte order, without gaps
    std::uint64_t start, end, packets, reverse_packets, octets, flow_id;
    fbVarfield_t application, interface;
    std::uint32_t source, syn;
    std::uint16_t source_port, vlan;
    std::uint8_t protocol, flags, end_reason, mac[6];
    std::uint8_t padding[3];
};

fbInfoElementSpec_t kSpec[] = {{const_cast<char*>("flowStartMilliseconds"), 8, 0},
                               {const_cast<char*>("flowEndMilliseconds"), 8, 0},
                               {const_cast<char*>("packetDeltaCount"), 8, 0},
                               {const_cast<char*>("reversePacketDeltaCount"), 8, 0},
                               {const_cast<char*>("octetDeltaCount"), 8, 0},
                               {const_cast<char*>("flowId"), 8, 0},
                               {const_cast<char*>("applicationName"), FB_IE_VARLEN, 0},
                               {const_cast<char*>("interfaceName"), FB_IE_VARLEN, 0},
                               {const_cast<char*>("sourceIPv4Address"), 4, 0},
                               {const_cast<char*>("tcpSynTotalCount"), 4, 0},
                               {const_cast<char*>("sourceTransportPort"), 2, 0},
                               {const_cast<char*>("vlanId"), 2, 0},
                               {const_cast<char*>("protocolIdentifier"), 1, 0},
                               {const_cast<char*>("tcpControlBits"), 1, 0},
                               {const_cast<char*>("flowEndReason"), 1, 0},
                               {const_cast<char*>("sourceMacAddress"), 6, 0},
                               {const_cast<char*>("paddingOctets"), 3, 0},
                               FB_IESPEC_NULL};

std::string text(const fbVarfield_t& field) {
    return {reinterpret_cast<const char*>(field.buf), field.len};
}

class FixbufCollector {
public:
    FixbufCollector() {
        fbTemplate_t* internal = fbTemplateAlloc(model_);
        REQUIRE(fbTemplateAppendSpecArray(internal, kSpec, 0xffff'ffff, &error_) != FALSE);
        REQUIRE(fbSessionAddTemplate(session_, TRUE, 999, internal, &error_) == 999);
        buffer_ = fBufAllocForCollection(session_, nullptr);
        fBufSetAutomaticMode(buffer_, FALSE);
    }
    ~FixbufCollector() {
        g_clear_error(&error_);
        fBufFree(buffer_);
        fbInfoModelFree(model_);
    }
    FixbufCollector(const FixbufCollector&) = delete;
    FixbufCollector& operator=(const FixbufCollector&) = delete;

    template <class Take>
    void read(Bytes message, Take take) {
        fBufSetBuffer(buffer_, message.data(), message.size());
        REQUIRE(fBufSetInternalTemplate(buffer_, 999, &error_) != FALSE);
        while (true) {
            Collected record{};
            std::size_t length = sizeof record;
            if (!fBufNext(buffer_, reinterpret_cast<std::uint8_t*>(&record), &length, &error_)) break;
            take(record);
        }
        CHECK(g_error_matches(error_, FB_ERROR_DOMAIN, FB_ERROR_EOM) != FALSE);
        g_clear_error(&error_);
    }

private:
    GError* error_ = nullptr;
    fbInfoModel_t* model_ = fbInfoModelAlloc();
    fbSession_t* session_ = fbSessionAlloc(model_);
    fBuf_t* buffer_ = nullptr;
};

}  // namespace

TEST_CASE("libfixbuf reads our data records as we wrote them") {
    static_assert(sizeof(Collected) == 104);
    ExporterFixture f;
    RecordBatch batch;
    std::vector<std::unique_ptr<RandomRecord>> random;
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
        random.push_back(std::make_unique<RandomRecord>(seed, 4));
        random.back()->record.reverse.packets |= 1;
        batch.records.push_back(random.back()->record);
    }
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch));
    REQUIRE(f.exporter->flush());

    FixbufCollector collector;
    std::size_t next = 0;
    for (const Bytes& message : f.log.messages)
        collector.read(message, [&](const Collected& got) {
            REQUIRE(next < batch.records.size());
            const FlowRecord& sent = batch.records[next++];
            const auto number = [&](const char* column) {
                const FieldValue value = find_field(column)->value(sent);
                const auto* n = std::get_if<std::uint64_t>(&value);
                return n == nullptr ? 0 : *n;
            };
            CHECK(got.start == number("src2dst_first_seen_ms"));
            CHECK(got.end == number("src2dst_last_seen_ms"));
            CHECK(got.packets == sent.forward.packets);
            CHECK(got.reverse_packets == sent.reverse.packets);
            CHECK(got.octets == sent.forward.octets);
            CHECK(got.flow_id == sent.id);
            CHECK(got.source ==
                  (std::uint32_t{sent.source_address.bytes[0]} << 24 | sent.source_address.bytes[1] << 16 |
                   sent.source_address.bytes[2] << 8 | sent.source_address.bytes[3]));
            CHECK(got.syn == std::min<std::uint64_t>(number("src2dst_syn_packets"), 0xffff'ffff));
            CHECK(got.source_port == sent.source_port);
            CHECK(got.vlan == sent.vlan_id);
            CHECK(got.protocol == sent.protocol);
            CHECK(got.flags == sent.forward.tcp_flags);
            CHECK(got.end_reason == number("flow_end_reason"));
            CHECK(std::memcmp(got.mac, sent.source_mac.data(), 6) == 0);
            if (is_valid_utf8(sent.interface_name)) CHECK(text(got.interface) == sent.interface_name);
            if (sent.application == nullptr)
                CHECK(got.application.len == 0);
            else if (is_valid_utf8(sent.application->name))
                CHECK(text(got.application) == sent.application->name);
        });
    CHECK(next == batch.records.size());
}
#endif
