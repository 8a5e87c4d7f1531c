// SPDX-License-Identifier: Apache-2.0
// Somebody who wants to know what a stream is made of, beside the records that
// the reader prints. Called in the reader's thread; spans are good during a call.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "exporters/ipfix/json_record.hpp"

namespace nfstreamd::exporters::ipfix {

struct MessageHeader {
    int version = 10;  // 10 IPFIX; 9, 5 NetFlow
    bool is_datagram = false;
    std::string_view source;
    std::uint32_t domain = 0;  // observation domain, source id, engine
    std::uint32_t sequence = 0;
    std::uint32_t export_time = 0;  // seconds since 1970
};

class ReaderObserver {
public:
    virtual ~ReaderObserver() = default;

    virtual void on_message(const MessageHeader&) {}
    virtual void on_template(const MessageHeader&, std::uint16_t /*id*/, const ReadTemplate&) {}
    virtual void on_withdrawal(const MessageHeader&, std::uint16_t /*id*/) {}
    // One data record; `values` are the octets of the template's fields, in their order.
    virtual void on_record(const MessageHeader&, std::uint16_t /*id*/, const ReadTemplate&,
                           std::span<const std::span<const std::uint8_t>> /*values*/) {}
    virtual void on_padding(const MessageHeader&, std::uint16_t /*set id*/, std::size_t /*octets*/) {}
    virtual void on_unknown_set(const MessageHeader&, std::uint16_t /*id*/) {}
};

}  // namespace nfstreamd::exporters::ipfix
