// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/options_writer.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/base/utf8.hpp"

namespace nfstreamd::exporters {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::uint16_t kIpfixVersion = 10, kNetflow9Version = 9;
constexpr std::size_t kIpfixHeader = 16, kNetflow9Header = 20, kSetHeader = 4;
constexpr std::uint16_t kIpfixOptionsTemplates = 3, kNetflow9OptionsTemplates = 1;
constexpr std::uint16_t kEnterpriseBit = 0x8000;
constexpr std::uint16_t kObservationDomain = 149;
constexpr std::size_t kShortText = 48;  // of a row that would not fit a message otherwise

void put(Octets& out, std::uint64_t value, std::size_t length) {
    for (std::size_t i = length; i > 0; --i)
        out.push_back(i > sizeof value ? 0 : static_cast<std::uint8_t>(value >> 8 * (i - 1)));
}

void set16(Octets& out, std::size_t at, std::size_t value) {
    out[at] = static_cast<std::uint8_t>(value >> 8);
    out[at + 1] = static_cast<std::uint8_t>(value);
}

void put_number(Octets& out, std::uint64_t value, std::uint16_t length) {
    if (length < sizeof value) value = std::min(value, (std::uint64_t{1} << 8 * length) - 1);
    put(out, value, length);
}

// By the length: float64 or float32.
void put_float(Octets& out, double value, std::uint16_t length) {
    if (length == sizeof(float))
        put(out, std::bit_cast<std::uint32_t>(static_cast<float>(value)), length);
    else
        put(out, std::bit_cast<std::uint64_t>(value), length);
}

// As many octets as the field has; what is missing is zero.
template <class Source>
void put_octets(Octets& out, const Source& octets, std::uint16_t length) {
    const std::size_t present = std::min<std::size_t>(length, octets.size());
    out.insert(out.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(present));
    out.insert(out.end(), length - present, 0);
}

// IPv4 in the place of an IPv6 address is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
void put_address(Octets& out, const IpAddress& address, std::uint16_t length) {
    if (length == 16 && address.version == 4) {
        put(out, 0xffff, 12);
        length = 4;
    }
    put_octets(out, address.bytes, length);
}

void put_text(Octets& out, const std::string& text, std::uint16_t length, std::size_t longest) {
    std::string valid(text.size(), '\0');
    valid.resize(copy_valid_utf8(text, valid.data()));
    const std::string_view cut = utf8_prefix(valid, std::min<std::size_t>(longest, length));
    if (length == kVariableText) {
        constexpr std::size_t kLongPrefix = 255;  // RFC 7011, section 7
        if (cut.size() >= kLongPrefix) put(out, kLongPrefix, 1);
        put(out, cut.size(), cut.size() < kLongPrefix ? 1 : 2);
        out.insert(out.end(), cut.begin(), cut.end());
    } else {
        put_octets(out, cut, length);
    }
}

void put_value(Octets& out, const OptionsValue& value, std::uint16_t length, std::size_t longest_text) {
    std::visit(
        [&](const auto& v) {
            using Value = std::remove_cvref_t<decltype(v)>;
            if constexpr (std::is_same_v<Value, std::uint64_t>)
                put_number(out, v, length);
            else if constexpr (std::is_same_v<Value, double>)
                put_float(out, v, length);
            else if constexpr (std::is_same_v<Value, std::string>)
                put_text(out, v, length, longest_text);
            else if constexpr (std::is_same_v<Value, IpAddress>)
                put_address(out, v, length);
            else
                put_octets(out, v, length);
        },
        value);
}

void put_specifier(Octets& out, const OptionsField& field) {
    put(out, field.pen == 0 ? field.id : field.id | kEnterpriseBit, 2);
    put(out, field.length, 2);
    if (field.pen != 0) put(out, field.pen, 4);
}

// The scope of NetFlow v9 stands for the first field when it says the same.
struct NetflowForm {
    std::uint16_t scope_length = 4;
    bool is_first_field = false;

    explicit NetflowForm(const OptionsTemplate& tmpl) {
        is_first_field = tmpl.netflow_scope != NetflowScope::kSystem || tmpl.fields.front().id == kObservationDomain;
        if (is_first_field) scope_length = tmpl.fields.front().length;
    }
    std::size_t first_option() const { return is_first_field ? 1 : 0; }
};

void netflow_specifiers(Octets& out, const OptionsTemplate& tmpl) {
    const NetflowForm form(tmpl);
    put(out, 4, 2);  // octets of scopes
    put(out, 4 * (tmpl.fields.size() - form.first_option()), 2);
    put(out, static_cast<std::uint64_t>(tmpl.netflow_scope), 2);
    put(out, form.scope_length, 2);
    for (std::size_t i = form.first_option(); i < tmpl.fields.size(); ++i) {
        assert(tmpl.fields[i].pen == 0 && tmpl.fields[i].length != kVariableText);
        put_specifier(out, tmpl.fields[i]);
    }
}

std::size_t header_length(OptionsProtocol protocol) {
    return protocol == OptionsProtocol::kIpfix ? kIpfixHeader : kNetflow9Header;
}

}  // namespace

std::vector<std::uint8_t> template_specifiers(const OptionsTemplate& tmpl, OptionsProtocol protocol) {
    Octets out;
    if (protocol == OptionsProtocol::kNetflow9) {
        netflow_specifiers(out, tmpl);
        return out;
    }
    put(out, tmpl.fields.size(), 2);
    put(out, tmpl.scopes, 2);
    for (const OptionsField& field : tmpl.fields) put_specifier(out, field);
    return out;
}

void OptionsWriter::add_template(const OptionsTemplate& tmpl) {
    assert(tmpl.scopes > 0 && tmpl.scopes < tmpl.fields.size());  // RFC 7011, 3.4.2.2
    Octets record;
    put(record, ids_(tmpl), 2);
    const Octets specifiers = template_specifiers(tmpl, wire_.protocol);
    record.insert(record.end(), specifiers.begin(), specifiers.end());
    const bool ipfix = wire_.protocol == OptionsProtocol::kIpfix;
    // v9: where records of different length share a FlowSet, collectors take its padding for one more
    add(ipfix ? kIpfixOptionsTemplates : kNetflow9OptionsTemplates, false, true, record);
}

bool OptionsWriter::add_row(const OptionsTemplate& tmpl, const OptionsRow& row) {
    const Octets record = encode(tmpl, row);
    if (record.size() > row_limit()) return false;
    add(ids_(tmpl), true, tmpl.alone, record);
    ++messages_.back().data_records;
    return true;
}

bool OptionsWriter::has_room_for(const OptionsTemplate& tmpl, const OptionsRow& row) const {
    const std::size_t header = goes_on(ids_(tmpl)) && !tmpl.alone ? 0 : kSetHeader;
    return fits(true, header + encode(tmpl, row).size());
}

std::size_t OptionsWriter::row_limit() const noexcept {
    constexpr std::size_t kPadding = 3;
    return wire_.max_message - header_length(wire_.protocol) - kSetHeader - kPadding;
}

std::vector<std::uint8_t> OptionsWriter::encode(const OptionsTemplate& tmpl, const OptionsRow& row) const {
    assert(row.size() == tmpl.fields.size());
    Octets out;
    for (const std::size_t longest_text : {std::size_t{kVariableText - 1}, kShortText}) {
        out.clear();
        if (wire_.protocol == OptionsProtocol::kNetflow9) {
            const NetflowForm form(tmpl);
            if (!form.is_first_field) put(out, wire_.domain, form.scope_length);
        }
        for (std::size_t i = 0; i < row.size(); ++i) put_value(out, row[i], tmpl.fields[i].length, longest_text);
        if (out.size() <= row_limit()) break;
    }
    return out;
}

bool OptionsWriter::goes_on(std::uint16_t set) const noexcept {
    return set_ != 0 && set_id_ == set;
}

// Templates and data never share a message. Padding that may come is counted.
bool OptionsWriter::fits(bool data, std::size_t octets) const noexcept {
    if (messages_.empty() || (records_ > 0 && (messages_.back().data_records > 0) != data)) return false;
    const std::size_t length = messages_.back().bytes.size() + octets;
    return (wire_.protocol == OptionsProtocol::kIpfix ? length : (length + 3) / 4 * 4) <= wire_.max_message;
}

void OptionsWriter::add(std::uint16_t set, bool data, bool alone, std::span<const std::uint8_t> record) {
    const bool same_set = goes_on(set) && !alone && fits(data, record.size());
    if (!same_set) {
        end_set();
        if (!fits(data, kSetHeader + record.size())) begin_message();
        Octets& bytes = messages_.back().bytes;
        set_ = bytes.size();
        set_id_ = set;
        put(bytes, set, 2);
        put(bytes, 0, 2);  // its length
    }
    Octets& bytes = messages_.back().bytes;
    bytes.insert(bytes.end(), record.begin(), record.end());
    set16(bytes, set_ + 2, bytes.size() - set_);
    ++records_;
    if (wire_.protocol == OptionsProtocol::kIpfix)
        set16(bytes, 2, bytes.size());
    else
        set16(bytes, 2, records_);
}

void OptionsWriter::begin_message() {
    messages_.emplace_back();
    records_ = 0;
    Octets& bytes = messages_.back().bytes;
    const bool ipfix = wire_.protocol == OptionsProtocol::kIpfix;
    put(bytes, ipfix ? kIpfixVersion : kNetflow9Version, 2);
    put(bytes, 0, header_length(wire_.protocol) - 2 - 4);
    put(bytes, wire_.domain, 4);
}

// FlowSets of NetFlow v9 end at a multiple of four octets (RFC 3954, 5.2); Sets of IPFIX need not, and
// some collectors take padding for a record.
void OptionsWriter::end_set() {
    if (set_ == 0) return;
    Octets& bytes = messages_.back().bytes;
    if (wire_.protocol == OptionsProtocol::kNetflow9) {
        while (bytes.size() % 4 != 0) bytes.push_back(0);
        set16(bytes, set_ + 2, bytes.size() - set_);
    }
    set_ = 0;
}

std::vector<OptionsMessage> OptionsWriter::take() {
    end_set();
    records_ = 0;
    return std::exchange(messages_, {});
}

bool OptionsPager::done() const noexcept {
    const bool rows_left = std::any_of(
        tables_.begin() + static_cast<std::ptrdiff_t>(table_), tables_.end(), [this](const OptionsTable& table) {
            return &table != &tables_[table_] ? !table.rows.empty() : row_ < table.rows.size();
        });
    return !rows_left && (templates_written_ || tables_.empty());
}

std::vector<OptionsMessage> OptionsPager::next(std::size_t most_messages) {
    OptionsWriter writer(wire_, ids_);
    if (!std::exchange(templates_written_, true))  // they are few, and sent together
        for (const OptionsTable& table : tables_) writer.add_template(table.tmpl);
    while (table_ < tables_.size() && add_rows(writer, most_messages)) {
        ++table_;
        row_ = 0;
    }
    return writer.take();
}

// False: there is no room for more.
bool OptionsPager::add_rows(OptionsWriter& writer, std::size_t most_messages) {
    const OptionsTable& table = tables_[table_];
    for (; row_ < table.rows.size(); ++row_) {
        if (writer.messages() >= most_messages && !writer.has_room_for(table.tmpl, table.rows[row_])) return false;
        static_cast<void>(writer.add_row(table.tmpl, table.rows[row_]));
    }
    return true;
}

std::vector<OptionsMessage> options_messages(const OptionsWire& wire, const TemplateIds& ids,
                                             std::span<const OptionsTable> tables, bool with_templates) {
    OptionsWriter writer(wire, ids);
    if (with_templates)
        for (const OptionsTable& table : tables) writer.add_template(table.tmpl);
    for (const OptionsTable& table : tables)
        for (const OptionsRow& row : table.rows) static_cast<void>(writer.add_row(table.tmpl, row));
    return writer.take();
}

}  // namespace nfstreamd::exporters
