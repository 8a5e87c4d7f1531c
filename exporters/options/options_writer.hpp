// SPDX-License-Identifier: Apache-2.0
// Options templates and their records as messages of IPFIX (RFC 7011, 3.4.2.2) or
// NetFlow v9 (RFC 3954, 6.1). What depends on the moment of sending is the
// caller's: export time, sequence number, uptime. Written here and not by
// libfixbuf, whose session would end the message at each turn from templates to
// data. Pure.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "exporters/options/options_template.hpp"

namespace nfstreamd::exporters {

enum class OptionsProtocol : std::uint8_t { kIpfix, kNetflow9 };

struct OptionsWire {
    OptionsProtocol protocol = OptionsProtocol::kIpfix;
    std::uint32_t domain = 0;     // observation domain, source id
    std::size_t max_message = 0;  // octets
};

// A message holds either templates or data. That of NetFlow v9 has its count of
// records in the header.
struct OptionsMessage {
    std::vector<std::uint8_t> bytes;
    std::uint32_t data_records = 0;  // 0: templates
};

// The id of a template in this session: 256 or above, the same each time.
using TemplateIds = std::function<std::uint16_t(const OptionsTemplate&)>;

// What follows the id in a template record: counts, and the specifiers of all
// fields. Templates that have the same are the same.
std::vector<std::uint8_t> template_specifiers(const OptionsTemplate& tmpl, OptionsProtocol protocol);

class OptionsWriter {
public:
    OptionsWriter(const OptionsWire& wire, TemplateIds ids) : wire_(wire), ids_(std::move(ids)) {}

    // Templates before the rows that use them. Rows of one template in a row share
    // a Set, and messages fill up before another one begins.
    void add_template(const OptionsTemplate& tmpl);
    // Texts are shortened where a row would not fit a message alone. False: it was
    // not added, as it has too many other octets for one.
    bool add_row(const OptionsTemplate& tmpl, const OptionsRow& row);

    // Whether it would go into the messages that there are.
    bool has_room_for(const OptionsTemplate& tmpl, const OptionsRow& row) const;

    std::size_t messages() const noexcept { return messages_.size(); }
    std::vector<OptionsMessage> take();

private:
    std::size_t row_limit() const noexcept;
    std::vector<std::uint8_t> encode(const OptionsTemplate& tmpl, const OptionsRow& row) const;
    bool goes_on(std::uint16_t set) const noexcept;
    bool fits(bool data, std::size_t octets) const noexcept;
    void add(std::uint16_t set, bool data, bool alone, std::span<const std::uint8_t> record);
    void begin_message();
    void end_set();

    OptionsWire wire_;
    TemplateIds ids_;
    std::vector<OptionsMessage> messages_;
    std::size_t set_ = 0;        // where the open Set begins in the last message; 0: none is open
    std::uint16_t set_id_ = 0;   // of the open one
    std::uint16_t records_ = 0;  // in the last message, templates too
};

// Tables that are too long to be sent at once, a few messages at a time: their
// templates first, where they are wanted, then the rows.
class OptionsPager {
public:
    OptionsPager() = default;
    OptionsPager(const OptionsWire& wire, TemplateIds ids, std::vector<OptionsTable> tables, bool with_templates = true)
        : wire_(wire), ids_(std::move(ids)), tables_(std::move(tables)), templates_written_(!with_templates) {}

    bool done() const noexcept;
    std::vector<OptionsMessage> next(std::size_t most_messages);  // empty when done

private:
    bool add_rows(OptionsWriter& writer, std::size_t most_messages);

    OptionsWire wire_;
    TemplateIds ids_;
    std::vector<OptionsTable> tables_;
    bool templates_written_ = false;
    std::size_t table_ = 0, row_ = 0;  // the next one
};

// All of it: the templates of all tables, then all rows. Without templates where the
// session has them: over TCP and SCTP none is sent twice (RFC 7011, 8.1).
std::vector<OptionsMessage> options_messages(const OptionsWire& wire, const TemplateIds& ids,
                                             std::span<const OptionsTable> tables, bool with_templates = true);

}  // namespace nfstreamd::exporters
