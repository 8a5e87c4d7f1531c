// SPDX-License-Identifier: Apache-2.0
// Messages of a flow export protocol one behind the other in one buffer: those
// that wait to be sent, and behind them the one under way. Its memory is used
// again and again. Belongs to an export session.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nfstreamd::exporters {

// How a protocol frames its messages. IPFIX (RFC 7011, 3.1) and NetFlow 9 (RFC
// 3954, 5) have Sets, version 5 has records behind its header and nothing else.
struct MessageFraming {
    static constexpr std::size_t kSetHeader = 4, kLongestHeader = 24;

    std::array<std::uint8_t, kLongestHeader> header{};  // what of it is known before the moment of sending
    std::uint8_t header_length = 0;
    bool counts_records = false;     // the second 16 bits of the header: records in the message, else its octets
    bool has_sets = true;            // false: no Set header, whatever the set id
    std::uint8_t set_alignment = 1;  // a Set is filled up with zeros to a multiple of this
};

struct MessageCounts {
    std::uint32_t records = 0;              // flow records
    std::uint32_t data_records = 0;         // as the protocol counts them: a flow may be two, options are some
    std::uint64_t first_record = 0;         // of the flow records: its place among all that the exporter has taken
    std::uint64_t packets = 0, octets = 0;  // of the flows, both directions
    // Of the flows: when the first began and the last ended, milliseconds since 1970.
    std::int64_t earliest_ms = 0, latest_ms = 0;
    std::int64_t base_ms = 0;  // what times in the message count from, where they do (NetFlow)
};

class MessageQueue {
public:
    MessageQueue(const MessageFraming& framing, std::size_t max_message)
        : framing_(framing), max_message_(max_message) {}

    // The message under way. Whether so many octets of data records have room in
    // it, with the header of their Set.
    bool has_room(std::uint16_t set_id, std::size_t length) const noexcept;
    // Where to write a data record of exactly so many octets, which has_room() has
    // been asked for; begins a message or a Set when there is none of that id. A
    // set id is not 0.
    std::uint8_t* add_data_record(std::uint16_t set_id, std::size_t length);
    MessageCounts& under_way() noexcept { return under_way_; }
    bool is_under_way() const noexcept { return set_id_ != 0; }
    void end_message();
    void drop_message() noexcept;  // the one under way, as if it had never begun

    // A complete message behind the others; none may be under way.
    void append(std::span<const std::uint8_t> message, const MessageCounts& counts);

    // The complete ones, oldest first; message i ends at ends()[i].
    bool empty() const noexcept { return messages_.empty(); }
    std::span<const std::uint8_t> bytes() const noexcept { return {buffer_.data(), complete_}; }
    std::span<const std::size_t> ends() const noexcept { return ends_; }
    std::span<const MessageCounts> messages() const noexcept { return messages_; }
    std::span<std::uint8_t> message(std::size_t i) noexcept;  // to be stamped

    void remove_first(std::size_t count);
    void clear() noexcept { remove_first(messages_.size()); }  // the complete ones

    // Octets that a message may have, the one under way, too.
    std::size_t max_message() const noexcept { return max_message_; }
    void set_max_message(std::size_t octets);
    const MessageFraming& framing() const noexcept { return framing_; }

private:
    std::size_t padding(std::size_t set_length) const noexcept;
    void begin_message();
    void end_set();

    const MessageFraming framing_;
    std::size_t max_message_;
    std::vector<std::uint8_t> buffer_;
    std::size_t complete_ = 0, used_ = 0;  // octets without and with the message under way
    std::size_t set_ = 0;                  // where the Set under way begins
    std::uint16_t set_id_ = 0;             // 0: no message is under way
    MessageCounts under_way_;
    std::vector<std::size_t> ends_;
    std::vector<MessageCounts> messages_;
};

}  // namespace nfstreamd::exporters
