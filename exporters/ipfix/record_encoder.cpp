// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/record_encoder.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "core/base/utf8.hpp"
#include "core/record/flow_record.hpp"
#include "exporters/encode/number_text.hpp"
#include "exporters/session/big_endian.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

// A record that has every block, with nothing in them: where members lie, and
// what is read of a block that a record has not got.
struct Defaults {
    FlowRecord record;
    StatisticsRecord statistics;
    ApplicationRecord application;
    ApplicationDetails details;
    TunnelRecord tunnel;
    TcpQualityRecord tcp_quality;
    EnrichmentRecord enrichment;

    Defaults() {
        application.details = &details;
        record.statistics = &statistics;
        record.application = &application;
        record.tunnel = &tunnel;
        record.tcp_quality = &tcp_quality;
        record.enrichment = &enrichment;
    }
};
const Defaults kDefaults;

template <class T>
const std::byte* bytes_of(const T& block) {
    return reinterpret_cast<const std::byte*>(&block);
}
template <class T>
const std::byte* bytes_or(const T* block, const T& otherwise) {
    return bytes_of(block != nullptr ? *block : otherwise);
}

template <class T>
T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

std::size_t prefix_length(std::size_t length) {  // RFC 7011, section 7
    return length < 255 ? 1 : 3;
}

std::uint8_t* put_text(std::string_view text, std::uint8_t* out) {
    if (text.size() < 255) {
        *out++ = static_cast<std::uint8_t>(text.size());
    } else {
        *out++ = 255;
        store_big_endian(static_cast<std::uint16_t>(text.size()), out);
        out += 2;
    }
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

// A value that is too large for its octets becomes the greatest that fits.
std::uint64_t saturated(std::uint64_t value, std::uint16_t length) {
    if (length >= 8) return value;
    return std::min(value, (std::uint64_t{1} << (8 * length)) - 1);
}
std::uint64_t saturated(std::int64_t value, std::uint16_t length) {
    if (length < 8) {
        const std::int64_t most = (std::int64_t{1} << (8 * length - 1)) - 1;
        value = std::clamp(value, -most - 1, most);
    }
    return static_cast<std::uint64_t>(value);
}

void put_integer(std::uint64_t value, std::uint16_t length, std::uint8_t* out) {
    if (length == 1) {
        *out = static_cast<std::uint8_t>(value);
    } else if (length == 2) {
        store_big_endian(static_cast<std::uint16_t>(value), out);
    } else if (length == 4) {
        store_big_endian(static_cast<std::uint32_t>(value), out);
    } else {
        std::uint8_t octets[8];
        store_big_endian(value, octets);
        std::memcpy(out, octets + (8 - length), length);
    }
}

void put_address(const IpAddress& address, std::uint16_t length, std::uint8_t* out) {
    if (length == 16 && address.version == 4) {  // RFC 4291, 2.5.5.2
        static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        std::memcpy(out, kMapped, sizeof kMapped);
        std::memcpy(out + sizeof kMapped, address.bytes.data(), 4);
    } else {
        std::memcpy(out, address.bytes.data(), length);
    }
}

void put_number(const FieldValue& value, const FieldPlan& plan, std::uint8_t* out) {
    if (plan.field->type == IeType::kFloat64) {
        double number = 0;
        if (const auto* d = std::get_if<double>(&value)) number = *d;
        if (const auto* u = std::get_if<std::uint64_t>(&value)) number = static_cast<double>(*u);
        store_big_endian(std::bit_cast<std::uint64_t>(number), out);
    } else if (plan.field->type == IeType::kBoolean) {
        const auto* b = std::get_if<bool>(&value);
        *out = b != nullptr && *b ? 1 : 2;  // RFC 7011, 6.1.5
    } else if (const auto* u = std::get_if<std::uint64_t>(&value)) {
        put_integer(saturated(*u, plan.length), plan.length, out);
    } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
        put_integer(saturated(*i, plan.length), plan.length, out);
    } else if (const auto* b = std::get_if<bool>(&value)) {
        put_integer(*b ? 1 : 0, plan.length, out);
    }
}

// In a field of fixed length, which is zero already: NetFlow 9 has no other.
void put_fixed_text(std::string_view text, std::uint16_t length, std::uint8_t* out) {
    if (is_valid_utf8(text)) {
        text = utf8_prefix(text, length);
        std::copy(text.begin(), text.end(), out);
        return;
    }
    std::string clean(text.size(), '\0');
    clean.resize(copy_valid_utf8(text, clean.data()));
    put_fixed_text(clean, length, out);
}

// RFC 6313, 4.4: as ipfixprobe gives it to lists of these elements.
constexpr std::uint8_t kAllOf = 3;
constexpr std::uint16_t kEnterpriseBit = 0x8000;

// -1 stands for packets that there were not.
std::span<const std::int32_t> without_tail(std::span<const std::int32_t> list) {
    const auto end = std::partition_point(list.begin(), list.end(), [](std::int32_t n) { return n >= 0; });
    return list.first(static_cast<std::size_t>(end - list.begin()));
}

// When the flow began, whichever side it is told from.
std::uint64_t begin_ms(const FlowRecord& record) {
    const bool answered_first = record.reverse.packets != 0 && record.reverse.first < record.forward.first;
    const TimestampNs first = answered_first ? record.reverse.first : record.forward.first;
    return static_cast<std::uint64_t>(first) / 1'000'000;
}

void put_entries(std::span<const std::int32_t> entries, IeType type, const FlowRecord& record, std::uint8_t* out) {
    if (type == IeType::kSigned8List) {  // directions: 0 and 1 are 1 and -1
        for (const std::int32_t n : entries) *out++ = n == 0 ? 1 : 0xff;
    } else if (type == IeType::kUnsigned16List) {
        for (const std::int32_t n : entries) {
            store_big_endian(static_cast<std::uint16_t>(std::min(n, 0xffff)), out);
            out += 2;
        }
    } else if (type == IeType::kSigned32List) {
        for (const std::int32_t n : entries) {
            store_big_endian(static_cast<std::uint32_t>(n), out);
            out += 4;
        }
    } else {  // times, of the gaps before them
        std::uint64_t time = begin_ms(record);
        for (const std::int32_t n : entries) {
            time += static_cast<std::uint64_t>(n);
            store_big_endian(time, out);
            out += 8;
        }
    }
}

// What no copy does.
void put_value(const FieldValue& value, const FieldPlan& plan, std::uint8_t* out) {
    std::memset(out, 0, plan.length);
    if (const auto* address = std::get_if<IpAddress>(&value))
        put_address(*address, plan.length, out);
    else if (const auto* text = std::get_if<std::string_view>(&value))
        put_fixed_text(*text, plan.length, out);
    else if (const auto* mac = std::get_if<MacAddress>(&value))
        std::memcpy(out, mac->data(), std::min<std::size_t>(plan.length, mac->size()));
    else
        put_number(value, plan, out);
}

// The loops of a plan: each copies one kind of member.
template <class From, class To>
void copy_numbers(const std::byte* block, std::span<const FieldCopy> copies, std::uint8_t* out) {
    for (const FieldCopy& copy : copies) {
        auto value = load<From>(block + copy.from);
        if constexpr (sizeof(To) < sizeof(From)) value = std::min<From>(value, std::numeric_limits<To>::max());
        store_big_endian(static_cast<To>(value), out + copy.to);
    }
}
void copy_milliseconds(const std::byte* block, std::span<const FieldCopy> copies, std::uint8_t* out) {
    static_assert(sizeof(TimestampNs) == sizeof(std::uint64_t));
    for (const FieldCopy& copy : copies)
        store_big_endian(load<std::uint64_t>(block + copy.from) / 1'000'000, out + copy.to);
}
template <std::size_t Octets>
void copy_octets(const std::byte* block, std::span<const FieldCopy> copies, std::uint8_t* out) {
    for (const FieldCopy& copy : copies) std::memcpy(out + copy.to, block + copy.from, Octets);
}
void copy_long_addresses(const std::byte* block, std::span<const FieldCopy> copies, std::uint8_t* out) {
    for (const FieldCopy& copy : copies) put_address(load<IpAddress>(block + copy.from), 16, out + copy.to);
}

template <class From>
CopyLoop number_loop(std::uint16_t length) {
    switch (length) {
        case 1:
            return copy_numbers<From, std::uint8_t>;
        case 2:
            return copy_numbers<From, std::uint16_t>;
        case 4:
            return copy_numbers<From, std::uint32_t>;
        case 8:
            return copy_numbers<From, std::uint64_t>;
        default:
            return nullptr;
    }
}

bool is_unsigned(IeType type) {
    return type == IeType::kUnsigned8 || type == IeType::kUnsigned16 || type == IeType::kUnsigned32 ||
           type == IeType::kUnsigned64;
}

// Null: the field has to be asked for.
CopyLoop copy_loop(const FieldPlan& plan) {
    const bool number = is_unsigned(plan.field->type);
    switch (plan.field->value.form) {
        case FieldForm::kUnsigned8:
            return number ? number_loop<std::uint8_t>(plan.length) : nullptr;
        case FieldForm::kUnsigned16:
            return number ? number_loop<std::uint16_t>(plan.length) : nullptr;
        case FieldForm::kUnsigned32:
            return number ? number_loop<std::uint32_t>(plan.length) : nullptr;
        case FieldForm::kUnsigned64:
            return number ? number_loop<std::uint64_t>(plan.length) : nullptr;
        case FieldForm::kFloat64:  // IEEE 754 on the wire (RFC 7011, 6.1.3), as in memory
            static_assert(std::numeric_limits<double>::is_iec559);
            return plan.field->type == IeType::kFloat64 ? copy_numbers<std::uint64_t, std::uint64_t> : nullptr;
        case FieldForm::kNanoseconds:
            return plan.length == 8 ? copy_milliseconds : nullptr;
        case FieldForm::kIpAddress:
            static_assert(offsetof(IpAddress, bytes) == 0);
            return plan.length == 4 ? copy_octets<4> : copy_long_addresses;
        case FieldForm::kMacAddress:
            return copy_octets<std::tuple_size_v<MacAddress>>;
        case FieldForm::kText:
        case FieldForm::kAny:
        case FieldForm::kNumberOf:
        case FieldForm::kTextOf:
            break;
    }
    return nullptr;
}

// The greatest number that `fits` is true of, up to `limit`; it is of 0.
template <class Fits>
std::size_t greatest(std::size_t limit, Fits fits) {
    std::size_t low = 0, high = limit;
    while (low < high) {
        const std::size_t middle = (low + high + 1) / 2;
        if (fits(middle))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

const std::byte* block_of(const FlowRecord& record, RecordBlock block) {
    switch (block) {
        case RecordBlock::kRecord:
            return bytes_of(record);
        case RecordBlock::kStatistics:
            return bytes_or(record.statistics, kDefaults.statistics);
        case RecordBlock::kApplication:
            return bytes_or(record.application, kDefaults.application);
        case RecordBlock::kDetails:
            return bytes_or(record.application != nullptr ? record.application->details : nullptr, kDefaults.details);
        case RecordBlock::kTunnel:
            return bytes_or(record.tunnel, kDefaults.tunnel);
        case RecordBlock::kTcpQuality:
            return bytes_or(record.tcp_quality, kDefaults.tcp_quality);
        case RecordBlock::kEnrichment:
            return bytes_or(record.enrichment, kDefaults.enrichment);
    }
    return bytes_of(record);
}

// Where the member lies that the field is read from, by looking at a record
// whose blocks are known; nothing when the field is computed.
std::optional<FieldPlace> locate(const InformationElement& field) {
    constexpr std::pair<RecordBlock, std::size_t> kBlocks[] = {{RecordBlock::kRecord, sizeof(FlowRecord)},
                                                               {RecordBlock::kStatistics, sizeof(StatisticsRecord)},
                                                               {RecordBlock::kApplication, sizeof(ApplicationRecord)},
                                                               {RecordBlock::kDetails, sizeof(ApplicationDetails)},
                                                               {RecordBlock::kTunnel, sizeof(TunnelRecord)},
                                                               {RecordBlock::kTcpQuality, sizeof(TcpQualityRecord)},
                                                               {RecordBlock::kEnrichment, sizeof(EnrichmentRecord)}};
    if (field.value.member == nullptr) return std::nullopt;
    const auto member = reinterpret_cast<std::uintptr_t>(field.value.member(kDefaults.record));
    for (const auto& [block, size] : kBlocks) {
        const auto offset = member - reinterpret_cast<std::uintptr_t>(block_of(kDefaults.record, block));
        if (offset < size) return FieldPlace{block, static_cast<std::uint32_t>(offset)};
    }
    return std::nullopt;
}

}  // namespace

RecordEncoder::RecordEncoder(const RecordLayout& layout) {
    std::vector<Planned> planned;
    std::uint32_t length = 0;  // of the section under way
    bool in_texts = false;
    for (const FieldPlan& plan : layout.fields()) {
        const std::optional<FieldPlace> place = locate(*plan.field);
        const bool is_text = plan.length == kVariableLength;
        if (in_texts && !is_text) add_section(planned, std::exchange(length, 0));
        in_texts = is_text;
        if (is_text) {
            texts_.push_back({plan.field, plan.field->value.form == FieldForm::kText ? place : std::nullopt,
                              plan.entry_ie, plan.entry_length});
            continue;
        }
        if (const CopyLoop run = place ? copy_loop(plan) : nullptr)
            planned.push_back({{place->block, run, 0, 0}, {place->offset, length}});
        else
            calls_.push_back({plan, length});
        length += plan.length;
    }
    add_section(planned, length);
}

// One step for all copies of a kind out of a block, in the order of memory.
void RecordEncoder::add_section(std::vector<Planned>& planned, std::uint32_t length) {
    const auto rank = [](const Planned& p) {
        return std::tuple(p.step.block, reinterpret_cast<std::uintptr_t>(p.step.run), p.copy.from);
    };
    std::sort(planned.begin(), planned.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    const std::size_t first = steps_.size();
    for (const auto& [step, copy] : planned) {
        const auto at = static_cast<std::uint32_t>(copies_.size());
        if (steps_.size() == first || steps_.back().block != step.block || steps_.back().run != step.run)
            steps_.push_back({step.block, step.run, at, at});
        copies_.push_back(copy);
        steps_.back().end = at + 1;
    }
    planned.clear();
    sections_.push_back({length, static_cast<std::uint32_t>(steps_.size()), static_cast<std::uint32_t>(calls_.size()),
                         static_cast<std::uint32_t>(texts_.size())});
    fixed_length_ += length;
}

std::string_view RecordEncoder::text_of(const FlowRecord& record, const Text& text) {
    const FieldReader& reader = text.field->value;
    if (text.place) return load<std::string_view>(block_of(record, text.place->block) + text.place->offset);
    if (reader.form == FieldForm::kTextOf) return reader.text(record);
    const FieldValue value = reader(record);
    const auto* view = std::get_if<std::string_view>(&value);
    return view != nullptr ? *view : std::string_view{};
}

std::string_view RecordEncoder::any_text_of(const FlowRecord& record, const Text& text, std::string& made) {
    made.clear();
    append_python_text(made, text.field->value(record));
    return made;
}

// RFC 6313, 4.5.1. The tail of packets that there were not is left out.
std::string_view RecordEncoder::list_of(const FlowRecord& record, const Text& list, std::string& made) {
    const FieldValue value = list.field->value(record);
    const auto* numbers = std::get_if<std::span<const std::int32_t>>(&value);
    const auto all = numbers == nullptr ? std::span<const std::int32_t>() : *numbers;
    const auto entries = list.field->type == IeType::kSigned32List ? all : without_tail(all);
    made.resize(kListHeader + entries.size() * list.entry_length);
    auto* out = reinterpret_cast<std::uint8_t*>(made.data());
    out[0] = kAllOf;
    store_big_endian(static_cast<std::uint16_t>(list.entry_ie.id | kEnterpriseBit), out + 1);
    store_big_endian(list.entry_length, out + 3);
    store_big_endian(list.entry_ie.pen, out + 5);
    put_entries(entries, list.field->type, record, out + kListHeader);
    return made;
}

RecordEncoder::Measured RecordEncoder::measure(const FlowRecord& record, std::size_t limit, RecordTexts& texts) const {
    std::size_t length = fixed_length_;
    if (texts.views.size() != texts_.size()) {
        texts.views.resize(texts_.size());
        texts.made.resize(texts_.size());
    }
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        const Text& text = texts_[i];
        std::string_view view;
        if (text.is_list()) [[unlikely]] {
            view = list_of(record, text, texts.made[i]);
        } else {
            view = text.field->type == IeType::kAny ? any_text_of(record, text, texts.made[i]) : text_of(record, text);
            if (text.field->type != IeType::kOctetArray && !is_valid_utf8(view)) {
                std::string clean(view.size(), '\0');
                clean.resize(copy_valid_utf8(view, clean.data()));
                view = texts.made[i] = std::move(clean);
            }
        }
        texts.views[i] = view;
        length += view.size() + prefix_length(view.size());
    }
    if (length > limit) [[unlikely]]
        return cut(limit, texts);
    return {length, false, false};
}

// Octets of all strings or all lists when none is longer than `most` octets or
// entries.
std::size_t RecordEncoder::total(const RecordTexts& texts, bool lists, std::size_t most) const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        if (texts_[i].is_list() != lists) continue;
        const std::size_t longest = lists ? kListHeader + most * texts_[i].entry_length : most;
        const std::size_t kept = std::min(texts.views[i].size(), longest);
        sum += kept + prefix_length(kept);
    }
    return sum;
}

// All strings are cut to one length, the greatest at which they fit, so that one
// long string cannot displace the others; lists of one record belong together and
// keep the same number of entries.
RecordEncoder::Measured RecordEncoder::cut(std::size_t limit, RecordTexts& texts) const {
    const std::size_t room = limit - fixed_length_;
    const std::size_t strings = total(texts, false, limit), least_strings = total(texts, false, 0);
    const std::size_t lists = total(texts, true, limit), least_lists = total(texts, true, 0);
    const std::size_t fair = std::max({room / 2, room - std::min(room, strings), least_lists});
    const std::size_t for_lists = std::min({lists, fair, room - least_strings});
    const std::size_t entries =
        greatest(limit, [&](std::size_t most) { return total(texts, true, most) <= for_lists; });
    const std::size_t for_strings = room - total(texts, true, entries);
    const std::size_t octets =
        greatest(limit, [&](std::size_t most) { return total(texts, false, most) <= for_strings; });
    Measured measured{fixed_length_, false, false};
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        std::string_view& view = texts.views[i];
        const std::size_t before = view.size();
        if (texts_[i].is_list())
            view = view.substr(0, kListHeader + entries * texts_[i].entry_length);
        else
            view = utf8_prefix(view, octets);
        (texts_[i].is_list() ? measured.lists_cut : measured.strings_cut) |= view.size() < before;
        measured.length += view.size() + prefix_length(view.size());
    }
    return measured;
}

std::uint8_t* RecordEncoder::write(const FlowRecord& record, const RecordTexts& texts, std::uint8_t* out) const {
    std::size_t step = 0, call = 0, text = 0;
    for (const Section& section : sections_) {
        for (; step < section.steps_end; ++step) {
            const Step& s = steps_[step];
            const std::byte* block = s.block == RecordBlock::kRecord ? bytes_of(record) : block_of(record, s.block);
            s.run(block, {copies_.data() + s.begin, s.end - s.begin}, out);
        }
        for (; call < section.calls_end; ++call) {
            const FieldPlan& plan = calls_[call].plan;
            const FieldReader& reader = plan.field->value;
            if (is_application_id(plan))
                put_application_id(reader.number(record), application_id_form(plan.length), out + calls_[call].to);
            else if (reader.form == FieldForm::kNumberOf)
                put_integer(saturated(reader.number(record), plan.length), plan.length, out + calls_[call].to);
            else
                put_value(reader(record), plan, out + calls_[call].to);
        }
        out += section.length;
        for (; text < section.texts_end; ++text) out = put_text(texts.views[text], out);
    }
    return out;
}

}  // namespace nfstreamd::exporters::ipfix
