// SPDX-License-Identifier: Apache-2.0
// libfixbuf as a collector of what our encoder writes.
#ifdef NFSTREAMD_WITH_IPFIX
#include <doctest/doctest.h>
#include <fixbuf/public.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/utf8.hpp"
#include "exporters/ipfix/enterprise_elements.hpp"
#include "tests/unit/exporters/ipfix/random_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::enterprise_elements;
using exporters::ipfix::EnterpriseElement;
using exporters::ipfix::FieldPlan;
using exporters::ipfix::kVariableLength;
using exporters::ipfix::RecordLayout;

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

namespace {

// A collector that knows the elements from what enterprise_elements() says of
// them, and reads every field of a layout: records lie packed, in its order.
class WholeCollector {
public:
    WholeCollector(const IpfixOptions& options, const RecordLayout& layout) {
        for (const auto& e : enterprise_elements(options.fields, options.groups, kTestPen)) add(e);
        fbTemplate_t* internal = fbTemplateAlloc(model_);
        for (const FieldPlan& plan : layout.fields()) {
            const auto* element = fbInfoModelGetElementByID(model_, plan.ie.id, plan.ie.pen);
            REQUIRE_MESSAGE(element != nullptr, std::string(plan.field->column));
            fbInfoElementSpec_t spec{const_cast<char*>(element->ref.name), plan.length, 0};
            REQUIRE_MESSAGE(fbTemplateAppendSpec(internal, &spec, 0, &error_) != FALSE, error_->message);
            length_ += octets(plan);
        }
        REQUIRE(fbSessionAddTemplate(session_, TRUE, 999, internal, &error_) == 999);
        buffer_ = fBufAllocForCollection(session_, nullptr);
        fBufSetAutomaticMode(buffer_, FALSE);
    }
    ~WholeCollector() {
        g_clear_error(&error_);
        fBufFree(buffer_);
        fbInfoModelFree(model_);
    }
    WholeCollector(const WholeCollector&) = delete;
    WholeCollector& operator=(const WholeCollector&) = delete;

    static std::size_t octets(const FieldPlan& plan) {
        if (plan.is_list()) return sizeof(fbBasicList_t);
        return plan.length == kVariableLength ? sizeof(fbVarfield_t) : plan.length;
    }

    template <class Take>
    void read(Bytes message, Take take) {
        fBufSetBuffer(buffer_, message.data(), message.size());
        REQUIRE(fBufSetInternalTemplate(buffer_, 999, &error_) != FALSE);
        while (true) {
            Bytes record(length_, 0);
            std::size_t length = record.size();
            if (!fBufNext(buffer_, record.data(), &length, &error_)) break;
            CHECK(length == length_);
            take(record);
        }
        CHECK(g_error_matches(error_, FB_ERROR_DOMAIN, FB_ERROR_EOM) != FALSE);
        g_clear_error(&error_);
    }

private:
    void add(const EnterpriseElement& e) {
        constexpr std::uint16_t kLengths[] = {FB_IE_VARLEN, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1, 6,
                                              FB_IE_VARLEN, 4, 8, 8, 8, 4, 16};
        const bool is_number = (e.data_type >= 1 && e.data_type <= 10) || (e.data_type >= 14 && e.data_type <= 17);
        const std::string name(e.name);  // the model keeps copies
        fbInfoElement_t element{};
        element.ref.name = name.c_str();
        element.ent = e.pen;
        element.num = e.id;
        element.len = kLengths[e.data_type];
        element.flags = is_number ? FB_IE_F_ENDIAN : FB_IE_F_NONE;
        element.type = e.data_type;  // the library's numbers are those of RFC 5610
        fbInfoModelAddElement(model_, &element);
    }

    GError* error_ = nullptr;
    fbInfoModel_t* model_ = fbInfoModelAlloc();
    fbSession_t* session_ = fbSessionAlloc(model_);
    fBuf_t* buffer_ = nullptr;
    std::size_t length_ = 0;
};

template <class T>
T load(const std::uint8_t* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

// A field as libfixbuf has read it, against what the table's reader says.
void check_field(const FieldPlan& plan, const std::uint8_t* got, const FlowRecord& sent) {
    const FieldValue value = plan.field->value(sent);
    if (plan.is_list()) {
        auto list = load<fbBasicList_t>(got);
        CHECK(list.semantic == 3);
        CHECK(list.infoElement->ent == plan.entry_ie.pen);
        CHECK(list.infoElement->num == plan.entry_ie.id);
        const auto* numbers = std::get_if<std::span<const std::int32_t>>(&value);
        const auto all = numbers == nullptr ? std::span<const std::int32_t>() : *numbers;
        const auto packets =
            static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](int n) { return n >= 0; }));
        REQUIRE(list.numElements == packets);
        std::uint64_t before = 0;
        for (std::size_t i = 0; i < packets; ++i) {
            const std::uint8_t* entry = list.dataPtr + i * plan.entry_length;
            if (plan.entry_length == 1) CHECK(load<std::int8_t>(entry) == (all[i] == 0 ? 1 : -1));
            if (plan.entry_length == 2) CHECK(load<std::uint16_t>(entry) == all[i]);
            if (plan.entry_length != 8) continue;
            const auto time = load<std::uint64_t>(entry);
            if (i > 0) CHECK(time - before == static_cast<std::uint64_t>(all[i]));
            before = time;
        }
        fbBasicListClear(&list);
    } else if (plan.length == kVariableLength) {
        const auto* view = std::get_if<std::string_view>(&value);
        if (view == nullptr || is_valid_utf8(*view))
            CHECK(text(load<fbVarfield_t>(got)) == (view == nullptr ? std::string_view() : *view));
    } else if (const auto* d = std::get_if<double>(&value)) {
        CHECK(load<double>(got) == *d);
    } else if (const auto* mac = std::get_if<MacAddress>(&value)) {
        CHECK(load<MacAddress>(got) == *mac);
    } else if (plan.field->type ==
               IeType::kOctetArray) {  // its form has more octets than the number: other tests read it
        CHECK(got[0] == 20);
    } else if (const auto* n = std::get_if<std::uint64_t>(&value)) {
        const std::uint64_t most = plan.length == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * plan.length) - 1;
        std::uint64_t number = 0;
        std::memcpy(&number, got, plan.length);  // in this machine's order
        if constexpr (std::endian::native == std::endian::little) CHECK(number == std::min(*n, most));
    }
}

}  // namespace

TEST_CASE("libfixbuf reads every field, of vendors and of ours, and every list, from the types that we announce") {
    for (const int mode : {0, 1, 2, 3}) {
        CAPTURE(mode);
        IpfixOptions options = every_field(65535);
        options.groups.accounting_mode = mode;
        const RecordLayout layout(options.fields, 4, true, options.groups, kTestPen);
        CHECK(layout.fields().size() > 120);
        ExporterFixture f(options, false);
        RecordBatch batch;
        std::vector<std::unique_ptr<RandomRecord>> random;
        for (std::uint32_t seed = 0; seed < 50; ++seed) {
            random.push_back(std::make_unique<RandomRecord>(seed, 4));
            random.back()->record.reverse.packets |= 1;
            batch.records.push_back(random.back()->record);
        }
        REQUIRE(f.exporter->open());
        REQUIRE(f.write(batch));
        REQUIRE(f.exporter->flush());
        WholeCollector collector(options, layout);
        std::size_t next = 0;
        for (const Bytes& message : f.log.messages)
            collector.read(message, [&](const Bytes& record) {
                REQUIRE(next < batch.records.size());
                const FlowRecord& sent = batch.records[next++];
                const std::uint8_t* at = record.data();
                for (const FieldPlan& plan : layout.fields()) {
                    CAPTURE(std::string(plan.field->column));
                    check_field(plan, at, sent);
                    at += WholeCollector::octets(plan);
                }
            });
        CHECK(next == batch.records.size());
    }
}
#endif
