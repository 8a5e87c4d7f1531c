// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/options/sampling_options.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "exporters/options/options_writer.hpp"
#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace nfstreamd::exporters;
using namespace std::chrono_literals;

namespace {

PacketSelector selector(std::uint32_t id, std::uint32_t rate, SamplingMethod method = SamplingMethod::kSystematic) {
    PacketSelector out{id, 10 + id, 0, {}};
    out.options.sampling = {method, rate, 0};
    return out;
}

std::vector<OptionsMessage> selector_options(std::span<const PacketSelector> selectors, SamplingElements elements,
                                             std::uint32_t domain, std::size_t max_message) {
    const OptionsProfile profile{.domain = domain, .sampling = elements};
    std::vector<OptionsTable> used;
    for (OptionsTable& table : sampling_options(profile, selectors).tables())
        if (!table.rows.empty()) used.push_back(std::move(table));
    const auto id_of = [](const OptionsTemplate& tmpl) -> std::uint16_t {
        if (tmpl.name == "sampling") return 260;
        return tmpl.name == "random_sampling" ? 261 : tmpl.name == "hash_filter" ? 262 : 263;
    };
    return options_messages({OptionsProtocol::kIpfix, domain, max_message}, id_of, used);
}

std::vector<Bytes> bytes_of(std::span<const PacketSelector> selectors, SamplingElements elements,
                            std::size_t max_message = 1372) {
    std::vector<Bytes> out;
    for (auto& message : selector_options(selectors, elements, 9, max_message)) out.push_back(std::move(message.bytes));
    return out;
}

Lines read(std::span<const PacketSelector> selectors, SamplingElements elements) {
    ipfix::ReaderCounters counters;
    auto lines = read_all(bytes_of(selectors, elements), &counters);
    CHECK(counters.malformed == 0);
    CHECK(counters.sets_without_template == 0);
    CHECK(counters.options_records == lines.size());
    return lines;
}

std::string text(const std::map<std::string, std::string>& line) {
    std::string out;
    for (const auto& [key, value] : line)
        if (key != "_options" && key != "_scope") out += (out.empty() ? "" : " ") + key + '=' + value;
    return out;
}

IpfixOptions with(std::shared_ptr<SelectorList> list) {
    IpfixOptions options = all_fields();
    options.selectors = std::move(list);
    options.options.kinds = {OptionsKind::kSampling};
    return options;
}

bool is_options(const std::map<std::string, std::string>& line) {
    return line.contains("_options");
}

}  // namespace

TEST_CASE("selector_options: systematic sampling is selectorId, algorithm 1, interval and space") {
    const PacketSelector selectors[] = {selector(1, 10), selector(2, 1)};
    const auto lines = read(selectors, SamplingElements::kRfc5477);
    REQUIRE(lines.size() == 2);
    CHECK(text(lines[0]) == "samplingPacketInterval=1 samplingPacketSpace=9 selectorAlgorithm=1 selector_id=1");
    CHECK(text(lines[1]) == "samplingPacketInterval=1 samplingPacketSpace=0 selectorAlgorithm=1 selector_id=2");
}

TEST_CASE("selector_options: random sampling is algorithm 3, with its mean space, and exactly as 1 of a population") {
    const PacketSelector selectors[] = {selector(4, 100, SamplingMethod::kRandom)};
    const auto lines = read(selectors, SamplingElements::kRfc5477);
    REQUIRE(lines.size() == 2);
    CHECK(text(lines[0]) == "samplingPacketInterval=1 samplingPacketSpace=99 selectorAlgorithm=3 selector_id=4");
    CHECK(text(lines[1]) == "samplingPopulation=100 samplingSize=1 selectorAlgorithm=3 selector_id=4");
    // every packet is every packet, however it is chosen
    const PacketSelector all[] = {selector(4, 1, SamplingMethod::kRandom)};
    CHECK(text(read(all, SamplingElements::kRfc5477).at(0)).find("selectorAlgorithm=1 ") != std::string::npos);
}

TEST_CASE("selector_options: a hash filter is a selector of its own, BOB with its range") {
    PacketSelector one = selector(1, 1);
    one.hash_id = 2;
    one.options.hash = {{"src_ip", "dst_ip"}, 0.25, 7};
    const auto lines = read({&one, 1}, SamplingElements::kRfc5477);
    REQUIRE(lines.size() == 2);
    CHECK(text(lines[1]) ==
          "hashOutputRangeMax=4294967295 hashOutputRangeMin=0 hashSelectedRangeMax=1073741823 "
          "hashSelectedRangeMin=0 observation_point=11 selectorAlgorithm=6 selector_id=2");
}

TEST_CASE("selector_options: sampling under overload is a selector of its own, beside the capture's") {
    auto busy = selector(1, 10);
    busy.overload_id = 9;
    busy.options.overload_rate = 4;
    const PacketSelector selectors[] = {busy};
    const PacketSelector separate[] = {selector(1, 10), selector(9, 40)};
    CHECK(read(selectors, SamplingElements::kRfc5477) == read(separate, SamplingElements::kRfc5477));
    const PacketSelector plain[] = {selector(1, 10)};
    CHECK(read(selectors, SamplingElements::kLegacy) == read(plain, SamplingElements::kLegacy));
}

TEST_CASE("selector_options: legacy is one interval for the domain, and nothing when rates differ") {
    const PacketSelector same[] = {selector(1, 10), selector(2, 10, SamplingMethod::kRandom)};
    const auto lines = read(same, SamplingElements::kLegacy);
    REQUIRE(lines.size() == 1);
    CHECK(text(lines[0]) == "observationDomainId=9 samplingInterval=10");
    CHECK(read(same, SamplingElements::kBoth).size() == 4);
    const PacketSelector different[] = {selector(1, 10), selector(2, 20)};
    CHECK(bytes_of(different, SamplingElements::kLegacy).empty());
    CHECK(read(different, SamplingElements::kBoth).size() == 2);
    CHECK(bytes_of(same, SamplingElements::kNone).empty());
    CHECK(bytes_of({}, SamplingElements::kBoth).empty());
}

TEST_CASE("selector_options: templates have the selector as scope, are sent before the data, and fit as it does") {
    std::vector<PacketSelector> many;
    for (std::uint32_t i = 1; i <= 200; ++i) many.push_back(selector(i, 10, SamplingMethod::kRandom));
    const auto messages = selector_options(many, SamplingElements::kBoth, 9, 500);
    REQUIRE(messages.size() > 5);
    CHECK(messages.front().data_records == 0);
    CHECK(number_at(messages.front().bytes, 16, 2) == 3);    // an options template Set
    CHECK(number_at(messages.front().bytes, 20, 2) == 260);  // template
    CHECK(number_at(messages.front().bytes, 24, 2) == 1);    // scope fields
    CHECK(number_at(messages.front().bytes, 26, 2) == 302);  // the scope
    std::uint32_t records = 0;
    for (const auto& message : messages) {
        CHECK(message.bytes.size() <= 500);
        CHECK(number_at(message.bytes, 0, 2) == 10);
        CHECK(number_at(message.bytes, 2, 2) == message.bytes.size());
        CHECK(number_at(message.bytes, 12, 4) == 9);
        records += message.data_records;
    }
    CHECK(records == 401);
}

TEST_CASE("IPFIX: selectors follow the templates, count in the sequence, and are joined by selector_id") {
    auto list = std::make_shared<SelectorList>();
    list->add(selector(5, 10));
    ExporterFixture f(with(list));
    REQUIRE(f.exporter->open());
    RecordBatch batch = batch_of(1, 3);
    for (auto& record : batch.records) record.selector = 5;
    REQUIRE(f.write(batch));
    REQUIRE(f.exporter->flush());
    ipfix::ReaderCounters counters;
    const auto lines = read_all(f.log.messages, &counters);
    REQUIRE(lines.size() == 5);
    CHECK(is_options(lines[0]));
    CHECK(is_options(lines[1]));
    CHECK(lines[0].at("selector_id") == "5");
    CHECK(lines[0].at("samplingPacketSpace") == "9");
    for (std::size_t i = 2; i < 5; ++i) CHECK(lines[i].at("selector_id") == "5");
    CHECK(counters.sequence_gaps == 0);
    // options are short
    const auto data = std::find_if(f.log.messages.begin(), f.log.messages.end(), [](const Bytes& message) {
        return number_at(message, 16, 2) > 255 && message.size() > 200;
    });
    REQUIRE(data != f.log.messages.end());
    CHECK(number_at(*data, 8, 4) == 2);  // the two options records came before
    CHECK(f.exporter->counters().data_records.get() == 5);
    CHECK(f.exporter->counters().records.get() == 3);
}

TEST_CASE("IPFIX: selectors are sent again with the templates, and at once when they change") {
    auto list = std::make_shared<SelectorList>();
    list->add(selector(1, 10));
    for (const bool datagram : {true, false}) {
        ExporterFixture f(with(list), datagram);
        REQUIRE(f.exporter->open());
        const std::size_t at_start = read_all(f.log.messages).size();
        CHECK(at_start == (datagram ? 2 : 3));  // the second round has one selector more, of another rate
        f.now += 60s;
        REQUIRE(f.exporter->flush());
        CHECK(read_all(f.log.messages).size() == (datagram ? 2 : 1) * at_start);
        const std::size_t before = read_all(f.log.messages).size();
        list->add(selector(datagram ? 2 : 3, 10));
        REQUIRE(f.write(batch_of(1, 1)));
        CHECK(read_all(f.log.messages).size() > before);
        ipfix::ReaderCounters counters;
        read_all(f.log.messages, &counters);
        CHECK(counters.sequence_gaps == 0);
        CHECK(counters.sets_without_template == 0);
        const std::size_t after = f.log.messages.size();
        REQUIRE(f.exporter->flush());
        REQUIRE(f.exporter->flush());
        CHECK(f.log.messages.size() == after + 1);  // the record, and no third announcement
    }
}

TEST_CASE("IPFIX: a new session begins with templates and selectors, those of the session before are gone") {
    auto list = std::make_shared<SelectorList>();
    list->add(selector(1, 10));
    ExporterFixture f(with(list), false);
    f.log.accept = 2;  // the templates, then the options templates; the connection breaks before the data
    CHECK_FALSE(f.exporter->open());
    f.log.accept = SIZE_MAX;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch_of(1, 1)));
    REQUIRE(f.exporter->flush());
    REQUIRE(f.log.session_starts.size() == 2);
    const std::vector<Bytes> second(f.log.messages.begin() + static_cast<std::ptrdiff_t>(f.log.session_starts[1]),
                                    f.log.messages.end());
    ipfix::ReaderCounters counters;
    CHECK(read_all(second, &counters).size() == 3);
    CHECK(counters.sets_without_template == 0);
    CHECK(counters.sequence_gaps == 0);
    CHECK(number_at(second.front(), 8, 4) == 0);
}

TEST_CASE("SelectorList: an announced selector leaves with its owner") {
    auto list = std::make_shared<SelectorList>();
    {
        AnnouncedSelector first(list, selector(1, 10));
        const auto version = list->version();
        first = AnnouncedSelector(list, selector(2, 20));
        CHECK(list->version() != version);
        REQUIRE(list->all().size() == 1);
        CHECK(list->all()[0].id == 2);
        const AnnouncedSelector moved = std::move(first);
        CHECK(list->all().size() == 1);
    }
    CHECK(list->all().empty());
}
#endif
