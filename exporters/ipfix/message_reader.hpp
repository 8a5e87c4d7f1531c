// SPDX-License-Identifier: Apache-2.0
// The collecting side: IPFIX messages and NetFlow v9 and v5 packets to JSON
// lines, one object per data record, keys by the field table. Learns templates
// from the messages, per transport session and observation domain. What it reads
// is hostile: nothing in it can make the reader fail, loop or grow without
// bound. One thread per reader.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/ipfix/reader_context.hpp"

namespace nfstreamd::exporters::ipfix {

class MessageReader {
public:
    using LineSink = ReaderContext::LineSink;

    // `private_enterprise_number`: elements of that number are the table's own;
    // 0 leaves them unknown. `observer` is told what the stream is made of, if there is one.
    explicit MessageReader(LineSink sink, std::uint32_t private_enterprise_number = 0,
                           ReaderObserver* observer = nullptr);
    ~MessageReader();

    // One UDP datagram of any version; `source` tells transport sessions apart ("192.0.2.1:50000").
    void feed_datagram(std::span<const std::uint8_t> datagram, std::string_view source);

    // Bytes of a TCP connection or a file as they come, IPFIX alone. False: the
    // stream cannot be followed (any more); close it.
    bool feed_stream(std::span<const std::uint8_t> bytes, std::string_view source = "");
    // The stream is over. Forgets its templates; a cut last message is malformed.
    void end_stream(std::string_view source = "");

    const ReaderCounters& counters() const noexcept { return context_.counters; }

private:
    struct Stream;

    void read_message(std::span<const std::uint8_t> message, std::string_view source, bool datagram);

    ReaderContext context_;
    std::map<std::string, std::unique_ptr<Stream>, std::less<>> streams_;
};

}  // namespace nfstreamd::exporters::ipfix
