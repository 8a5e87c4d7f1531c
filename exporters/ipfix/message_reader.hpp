// SPDX-License-Identifier: Apache-2.0
// The collecting side: IPFIX messages to JSON lines, one object per data record,
// keys by the field table. Learns templates from the messages, per transport
// session and observation domain. What it reads is hostile: nothing in it can
// make the reader fail, loop or grow without bound. One thread per reader.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nfstreamd::exporters::ipfix {

struct ReaderCounters {
    std::uint64_t messages = 0, octets = 0;
    std::uint64_t records = 0;  // data records, those of options templates included
    std::uint64_t options_records = 0;
    std::uint64_t templates = 0;              // template records, options templates and repetitions included
    std::uint64_t malformed = 0;              // messages or parts of them thrown away
    std::uint64_t sequence_gaps = 0;          // places where records are missing (or came twice)
    std::uint64_t lost_records = 0;           // as the sequence numbers tell
    std::uint64_t sets_without_template = 0;  // data that came before its template, or whose template was refused
    std::string last_malformed;               // what was wrong, and who sent it
};

class MessageReader {
public:
    using LineSink = std::function<void(std::string_view json)>;  // without a newline; good during the call

    // `private_enterprise_number`: elements of that number are the table's own;
    // 0 leaves them unknown.
    explicit MessageReader(LineSink sink, std::uint32_t private_enterprise_number = 0);
    ~MessageReader();

    // One UDP datagram; `source` tells transport sessions apart ("192.0.2.1:50000").
    void feed_datagram(std::span<const std::uint8_t> datagram, std::string_view source);

    // Bytes of a TCP connection or a file as they come. False: the stream is no
    // IPFIX (any more) and cannot be followed; close it.
    bool feed_stream(std::span<const std::uint8_t> bytes, std::string_view source = "");
    // The stream is over. Forgets its templates; a cut last message is malformed.
    void end_stream(std::string_view source = "");

    const ReaderCounters& counters() const noexcept { return counters_; }

private:
    struct Session;
    struct Stream;

    void read_message(std::span<const std::uint8_t> message, std::string_view source, bool datagram);
    void read_sets(Session& session, std::span<const std::uint8_t> message, std::string_view source, bool datagram);
    bool read_data(Session& session, std::uint16_t id, std::span<const std::uint8_t> set);
    void check_sequence(Session& session, std::uint32_t sequence);
    Session& session_of(std::string_view source, std::uint32_t domain);
    void malformed(std::string_view what, std::string_view source);

    LineSink sink_;
    const std::uint32_t private_enterprise_number_;
    ReaderCounters counters_;
    std::map<std::string, std::unique_ptr<Session>, std::less<>> sessions_;
    std::map<std::string, std::unique_ptr<Stream>, std::less<>> streams_;
    std::size_t fields_ = 0;  // of all templates of all sessions
    std::uint64_t age_ = 0;
    std::string line_;
};

}  // namespace nfstreamd::exporters::ipfix
