// SPDX-License-Identifier: Apache-2.0
// IPFIX messages one behind the other in one buffer: those that wait to be sent,
// and behind them the one under way. Its memory is used again and again. Belongs
// to an exporter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nfstreamd::exporters::ipfix {

class MessageQueue {
public:
    struct Message {
        std::uint64_t records = 0;       // flow records
        std::uint32_t data_records = 0;  // as the sequence number counts
    };

    MessageQueue(std::uint32_t domain, std::size_t max_message) : domain_(domain), max_message_(max_message) {}

    // The message under way. Whether so many octets of data records have room in
    // it, with the header of their Set.
    bool has_room(std::uint16_t set_id, std::size_t length) const noexcept;
    // Where to write a data record of exactly so many octets, which has_room() has
    // been asked for; begins a message or a Set when there is none of that id.
    std::uint8_t* add_data_record(std::uint16_t set_id, std::size_t length);
    void count_record() noexcept { ++under_way_.records; }
    bool is_under_way() const noexcept { return under_way_.data_records > 0; }
    void end_message();

    // A complete message behind the others; none may be under way.
    void append(std::span<const std::uint8_t> message, std::uint32_t data_records);

    // The complete ones, oldest first; message i ends at ends()[i].
    bool empty() const noexcept { return messages_.empty(); }
    std::span<const std::uint8_t> bytes() const noexcept { return {buffer_.data(), complete_}; }
    std::span<const std::size_t> ends() const noexcept { return ends_; }
    std::span<const Message> messages() const noexcept { return messages_; }

    // Writes export time and sequence number into the headers from message
    // `first` on; `sequence` is that of the first message.
    void stamp(std::size_t first, std::uint32_t export_time, std::uint32_t sequence);
    void remove_first(std::size_t count);
    void clear() noexcept;  // the complete ones

private:
    void begin_message();
    void end_set();

    const std::uint32_t domain_;
    const std::size_t max_message_;
    std::vector<std::uint8_t> buffer_;
    std::size_t complete_ = 0, used_ = 0;  // octets without and with the message under way
    std::size_t set_ = 0;                  // where the Set under way begins
    std::uint16_t set_id_ = 0;             // 0: no message is under way
    Message under_way_;
    std::vector<std::size_t> ends_;
    std::vector<Message> messages_;
};

}  // namespace nfstreamd::exporters::ipfix
