// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/selector_options.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/selection/packet_hash_filter.hpp"
#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10, kOptionsTemplateSet = 3;

struct Field {
    std::uint16_t id, length;  // numbers all of them, some shorter than their type (RFC 7011, 6.2)
};
constexpr Field kSelectorId{302, 4}, kSelectorAlgorithm{304, 2}, kPacketInterval{305, 4}, kPacketSpace{306, 4},
    kSamplingSize{309, 4}, kSamplingPopulation{310, 4}, kObservationPoint{138, 4}, kHashOutputMin{329, 8},
    kHashOutputMax{330, 8}, kHashSelectedMin{331, 8}, kHashSelectedMax{332, 8}, kObservationDomain{149, 4},
    kSamplingIntervalField{34, 4};

struct OptionsTemplate {
    OptionsTemplateId id;
    std::array<Field, 7> fields;  // the first one is the scope; unused ones have no length

    std::span<const Field> used() const {
        const auto end = std::find_if(fields.begin(), fields.end(), [](const Field& f) { return f.length == 0; });
        return {fields.begin(), end};
    }
};
constexpr OptionsTemplate kTemplates[] = {
    {kSamplingOptions, {kSelectorId, kSelectorAlgorithm, kPacketInterval, kPacketSpace}},
    {kRandomSamplingOptions, {kSelectorId, kSelectorAlgorithm, kSamplingSize, kSamplingPopulation}},
    {kHashOptions,
     {kSelectorId, kObservationPoint, kSelectorAlgorithm, kHashOutputMin, kHashOutputMax, kHashSelectedMin,
      kHashSelectedMax}},
    {kSamplingInterval, {kObservationDomain, kSamplingIntervalField}},
};

const OptionsTemplate& find(OptionsTemplateId id) {
    return *std::find_if(std::begin(kTemplates), std::end(kTemplates), [id](const auto& t) { return t.id == id; });
}

struct Record {
    OptionsTemplateId id;
    std::vector<std::uint64_t> values;
};

void put(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t length) {
    for (std::size_t i = length; i > 0; --i)
        out.push_back(i > sizeof value ? 0 : static_cast<std::uint8_t>(value >> 8 * (i - 1)));
}

std::vector<std::uint8_t> template_set(const OptionsTemplate& tmpl) {
    const auto fields = tmpl.used();
    std::vector<std::uint8_t> out;
    put(out, kOptionsTemplateSet, 2);
    put(out, kSetHeader + 6 + 4 * fields.size(), 2);
    put(out, tmpl.id, 2);
    put(out, fields.size(), 2);
    put(out, 1, 2);  // of them scope
    for (const Field& field : fields) {
        put(out, field.id, 2);
        put(out, field.length, 2);
    }
    return out;
}

// One Set for each record: nfcapd reads the first record of a Set of options only.
std::vector<std::uint8_t> data_set(const Record& record) {
    const auto fields = find(record.id).used();
    std::vector<std::uint8_t> values, out;
    for (std::size_t i = 0; i < fields.size(); ++i) put(values, record.values[i], fields[i].length);
    put(out, record.id, 2);
    put(out, kSetHeader + values.size(), 2);
    out.insert(out.end(), values.begin(), values.end());
    return out;
}

// Sets to messages, as many in each as fit.
class MessageWriter {
public:
    MessageWriter(std::uint32_t domain, std::size_t max_message) : domain_(domain), max_message_(max_message) {}

    void add(std::vector<std::uint8_t> set, std::uint32_t data_records) {
        auto& open = messages_;
        const bool fits = !open.empty() && open.back().bytes.size() + set.size() <= max_message_ &&
                          (open.back().data_records == 0) == (data_records == 0);
        if (!fits) {
            open.emplace_back();
            put(open.back().bytes, kVersion, 2);
            put(open.back().bytes, 0, 2 + 4 + 4);  // length, export time, sequence number
            put(open.back().bytes, domain_, 4);
        }
        OptionsMessage& message = open.back();
        message.bytes.insert(message.bytes.end(), set.begin(), set.end());
        message.data_records += data_records;
        message.bytes[2] = static_cast<std::uint8_t>(message.bytes.size() >> 8);
        message.bytes[3] = static_cast<std::uint8_t>(message.bytes.size());
    }
    std::vector<OptionsMessage> take() { return std::move(messages_); }

private:
    std::uint32_t domain_;
    std::size_t max_message_;
    std::vector<OptionsMessage> messages_;
};

void add_sampling(std::vector<Record>& records, std::uint32_t id, const PacketSamplingOptions& sampling) {
    const bool random = sampling.method == SamplingMethod::kRandom && sampling.rate > 1;
    const auto algorithm = static_cast<std::uint64_t>(random ? SelectorAlgorithm::kRandomNOutOfN
                                                             : SelectorAlgorithm::kSystematicCountBased);
    records.push_back({kSamplingOptions, {id, algorithm, 1, sampling.rate - 1}});
    if (random) records.push_back({kRandomSamplingOptions, {id, algorithm, 1, sampling.rate}});
}

void add_hash(std::vector<Record>& records, const PacketSelector& selector) {
    const PacketHashFilter filter(selector.options.hash);
    if (!filter.on()) return;
    constexpr std::uint64_t kLast = PacketHashFilter::kRange - 1;
    const std::uint64_t selected_last = filter.selected() == 0 ? 0 : filter.selected() - 1;
    records.push_back({kHashOptions,
                       {selector.hash_id, selector.observation_point,
                        static_cast<std::uint64_t>(SelectorAlgorithm::kHashBob), 0, kLast, 0, selected_last}});
}

bool same_rate(std::span<const PacketSelector> selectors) {
    return std::all_of(selectors.begin(), selectors.end(), [&](const PacketSelector& selector) {
        return selector.options.sampling.rate == selectors.front().options.sampling.rate;
    });
}

}  // namespace

std::optional<SamplingElements> sampling_elements(std::string_view name) {
    if (name == "rfc5477") return SamplingElements::kRfc5477;
    if (name == "legacy") return SamplingElements::kLegacy;
    if (name == "both") return SamplingElements::kBoth;
    if (name == "none") return SamplingElements::kNone;
    return std::nullopt;
}

std::vector<OptionsMessage> selector_options(std::span<const PacketSelector> selectors, SamplingElements elements,
                                             std::uint32_t domain, std::size_t max_message) {
    if (selectors.empty() || elements == SamplingElements::kNone) return {};
    std::vector<Record> records;
    if (elements != SamplingElements::kLegacy)
        for (const PacketSelector& selector : selectors) {
            add_sampling(records, selector.id, selector.options.sampling);
            if (selector.overload_id != 0) add_sampling(records, selector.overload_id, overloaded(selector.options));
            add_hash(records, selector);
        }
    if (elements != SamplingElements::kRfc5477 && same_rate(selectors))
        records.push_back({kSamplingInterval, {domain, selectors.front().options.sampling.rate}});

    MessageWriter writer(domain, max_message);
    for (const OptionsTemplate& tmpl : kTemplates) {
        const auto is_used = [&](const Record& record) { return record.id == tmpl.id; };
        if (std::any_of(records.begin(), records.end(), is_used)) writer.add(template_set(tmpl), 0);
    }
    for (const Record& record : records) writer.add(data_set(record), 1);
    return writer.take();
}

}  // namespace nfstreamd::exporters::ipfix
