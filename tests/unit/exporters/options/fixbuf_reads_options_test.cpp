// SPDX-License-Identifier: Apache-2.0
// libfixbuf as a collector of our options.
#ifdef NFSTREAMD_WITH_IPFIX
#include <doctest/doctest.h>
#include <fixbuf/public.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/options/name_options.hpp"
#include "exporters/options/options_tables.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<OptionsMessage> messages_of(const OptionsTable& table) {
    const OptionsTable tables[] = {table};
    return options_messages(
        {OptionsProtocol::kIpfix, 9, 1372}, [](const auto&) { return std::uint16_t{400}; }, tables);
}

std::string text(const fbVarfield_t& field) {
    return {reinterpret_cast<const char*>(field.buf), field.len};
}

fbInfoElementSpec_t field(const char* name, std::uint16_t length) {
    return {const_cast<char*>(name), length, 0};
}

class FixbufCollector {
public:
    ~FixbufCollector() {
        g_clear_error(&error_);
        if (buffer_ != nullptr) fBufFree(buffer_);
        fbInfoModelFree(model_);
    }
    FixbufCollector() = default;
    FixbufCollector(const FixbufCollector&) = delete;
    FixbufCollector& operator=(const FixbufCollector&) = delete;

    void expect(std::vector<fbInfoElementSpec_t> specification) {
        specification.push_back(FB_IESPEC_NULL);
        fbTemplate_t* internal = fbTemplateAlloc(model_);
        REQUIRE(fbTemplateAppendSpecArray(internal, specification.data(), 0xffff'ffff, &error_) != FALSE);
        expect(internal);
    }
    void expect(fbTemplate_t* internal) {
        REQUIRE(internal != nullptr);
        REQUIRE(fbSessionAddTemplate(session_, TRUE, 999, internal, &error_) == 999);
        buffer_ = fBufAllocForCollection(session_, nullptr);
        fBufSetAutomaticMode(buffer_, FALSE);
    }
    fbInfoModel_t* model() { return model_; }

    // The records of all messages, in the machine's byte order.
    template <class Record>
    std::vector<Record> read(std::vector<OptionsMessage>& messages) {
        std::vector<Record> records;
        for (OptionsMessage& message : messages) {
            fBufSetBuffer(buffer_, message.bytes.data(), message.bytes.size());
            REQUIRE(fBufSetInternalTemplate(buffer_, 999, &error_) != FALSE);
            while (true) {
                Record record{};
                std::size_t length = sizeof record;
                if (!fBufNext(buffer_, reinterpret_cast<std::uint8_t*>(&record), &length, &error_)) break;
                fbTemplate_t* sent = fbSessionGetTemplate(session_, FALSE, 400, nullptr);
                REQUIRE(sent != nullptr);
                CHECK(fbTemplateGetOptionsScope(sent) > 0);
                records.push_back(record);
            }
            CHECK(g_error_matches(error_, FB_ERROR_DOMAIN, FB_ERROR_EOM) != FALSE);
            g_clear_error(&error_);
        }
        return records;
    }

private:
    GError* error_ = nullptr;
    fbInfoModel_t* model_ = fbInfoModelAlloc();
    fbSession_t* session_ = fbSessionAlloc(model_);
    fBuf_t* buffer_ = nullptr;
};

}  // namespace

TEST_CASE("libfixbuf reads the reliability of metering, the same element twice") {
    struct Record {
        std::uint32_t domain, process;
        std::uint64_t packets, octets, first, last;
    };
    const MeteringStatistics metering[] = {{0, 30, 3000, 100, 200}, {5, 31, 3001, 101, 201}};
    auto messages = messages_of(reliability_options({.domain = 9}, metering));
    FixbufCollector collector;
    collector.expect({field("observationDomainId", 4), field("meteringProcessId", 4),
                      field("ignoredPacketTotalCount", 8), field("ignoredOctetTotalCount", 8),
                      field("observationTimeMilliseconds", 8), field("observationTimeMilliseconds", 8)});
    const auto records = collector.read<Record>(messages);
    REQUIRE(records.size() == 2);
    CHECK(records[1].domain == 9);
    CHECK(records[1].process == 5);
    CHECK(records[1].packets == 31);
    CHECK(records[1].octets == 3001);
    CHECK(records[1].first == 101);
    CHECK(records[1].last == 201);
}

TEST_CASE("libfixbuf reads what was exported and what was not sent") {
    struct Metering {
        std::uint64_t octets, messages, records;
        std::uint32_t domain, padding;
    };
    struct Exporting {
        std::uint64_t records, packets, octets, first, last;
        std::uint32_t process, padding;
    };
    const ExportingStatistics exporting{4, 1000, 20, 300, {7, 70, 700, 1111, 2222}};
    auto first = messages_of(metering_options({.domain = 9}, exporting));
    FixbufCollector of_metering;
    of_metering.expect({field("exportedOctetTotalCount", 8), field("exportedMessageTotalCount", 8),
                        field("exportedFlowRecordTotalCount", 8), field("observationDomainId", 4),
                        field("paddingOctets", 4)});
    const auto metered = of_metering.read<Metering>(first);
    REQUIRE(metered.size() == 1);
    CHECK(metered[0].octets == 1000);
    CHECK(metered[0].messages == 20);
    CHECK(metered[0].records == 300);
    CHECK(metered[0].domain == 9);

    auto second = messages_of(exporting_options({.domain = 9}, exporting));
    FixbufCollector of_exporting;
    of_exporting.expect({field("notSentFlowTotalCount", 8), field("notSentPacketTotalCount", 8),
                         field("notSentOctetTotalCount", 8), field("observationTimeMilliseconds", 8),
                         field("observationTimeMilliseconds", 8), field("exportingProcessId", 4),
                         field("paddingOctets", 4)});
    const auto exported = of_exporting.read<Exporting>(second);
    REQUIRE(exported.size() == 1);
    CHECK(exported[0].records == 7);
    CHECK(exported[0].packets == 70);
    CHECK(exported[0].octets == 700);
    CHECK(exported[0].first == 1111);
    CHECK(exported[0].last == 2222);
    CHECK(exported[0].process == 4);
}

TEST_CASE("libfixbuf reads flow keys and the start of the system") {
    struct Keys {
        std::uint64_t indicator;
        std::uint16_t id;
        std::uint8_t padding[6];
    };
    const KeyedTemplate keyed{256, {find_field("src2dst_packets"), find_field("src_ip")}};
    auto messages = messages_of(flow_key_options({}, {&keyed, 1}));
    FixbufCollector collector;
    collector.expect({field("flowKeyIndicator", 8), field("templateId", 2), field("paddingOctets", 6)});
    const auto keys = collector.read<Keys>(messages);
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].id == 256);
    CHECK(keys[0].indicator == 2);

    struct System {
        std::uint64_t started;
        std::uint32_t domain, address;
    };
    OptionsProfile profile{.domain = 9};
    profile.exporter_address = {{192, 0, 2, 1}, 4};
    auto system = messages_of(system_options(profile, 1'700'000'000'123));
    FixbufCollector of_system;
    of_system.expect(
        {field("systemInitTimeMilliseconds", 8), field("observationDomainId", 4), field("exporterIPv4Address", 4)});
    const auto facts = of_system.read<System>(system);
    REQUIRE(facts.size() == 1);
    CHECK(facts[0].started == 1'700'000'000'123);
    CHECK(facts[0].domain == 9);
    CHECK(facts[0].address == 0xc0000201);
}

TEST_CASE("libfixbuf reads names of applications and interfaces, hundreds of them") {
    struct Application {
        fbVarfield_t name, description, category;
        std::uint8_t id[8];
    };
    ApplicationList list;
    for (std::uint16_t id = 0; id < 300; ++id)
        list.push_back({id, "name " + std::to_string(id), std::string(id, 'd'), "Web"});
    auto messages = messages_of(application_options({}, list));
    CHECK(messages.size() > 10);
    FixbufCollector collector;
    // the bytes of strings are in the message, which is there as long as we look
    collector.expect({field("applicationName", FB_IE_VARLEN), field("applicationDescription", FB_IE_VARLEN),
                      field("applicationCategoryName", FB_IE_VARLEN), field("applicationId", 8)});
    const auto records = collector.read<Application>(messages);
    REQUIRE(records.size() == 300);
    for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK(text(records[i].name) == list[i].name);
        CHECK(text(records[i].description) == list[i].description);
        CHECK(text(records[i].category) == "Web");
        CHECK(records[i].id[0] == 20);
        CHECK((records[i].id[6] << 8 | records[i].id[7]) == static_cast<int>(i));
    }

    struct Interface {
        fbVarfield_t name, description;
        std::uint32_t index, padding;
    };
    const InterfaceInfo interfaces[] = {{3, "eth0", "uplink"}, {4, "eth1", ""}};
    auto second = messages_of(interface_options({}, interfaces));
    FixbufCollector of_interfaces;
    of_interfaces.expect({field("interfaceName", FB_IE_VARLEN), field("interfaceDescription", FB_IE_VARLEN),
                          field("ingressInterface", 4), field("paddingOctets", 4)});
    const auto named = of_interfaces.read<Interface>(second);
    REQUIRE(named.size() == 2);
    CHECK(named[0].index == 3);
    CHECK(text(named[0].name) == "eth0");
    CHECK(text(named[0].description) == "uplink");
    CHECK(named[1].description.len == 0);
}

TEST_CASE("libfixbuf learns our enterprise elements from their types, RFC 5610") {
    const auto elements = ipfix::enterprise_elements({find_field("application_confidence"), find_field("tunnel_id")},
                                                     {.tunnel = true}, 32473);
    REQUIRE(elements.size() == 2);
    auto messages = messages_of(type_options({}, elements));
    FixbufCollector collector;
    GError* error = nullptr;
    collector.expect(fbInfoElementAllocTypeTemplate(collector.model(), &error));
    auto records = collector.read<fbInfoElementOptRec_t>(messages);
    REQUIRE(records.size() == 2);
    for (auto& record : records) REQUIRE(fbInfoElementAddOptRecElement(collector.model(), &record) != FALSE);
    const fbInfoElement_t* element = fbInfoModelGetElementByID(collector.model(), 560, 35632);
    REQUIRE(element != nullptr);
    CHECK(std::string(element->ref.name) == find_field("application_confidence")->name);
    CHECK(element->type == FB_UINT_8);
    CHECK(std::string(element->description) == find_field("application_confidence")->description);
    const fbInfoElement_t* tunnel = fbInfoModelGetElementByID(collector.model(), 3, 32473);
    REQUIRE(tunnel != nullptr);
    CHECK(std::string(tunnel->ref.name) == find_field("tunnel_id")->name);
}
#endif
