// SPDX-License-Identifier: Apache-2.0
// IPFIX messages one after the other in a file (RFC 5655) or on standard output.
// No buffer of its own: messages for files are large. Belongs to the thread of
// its exporter.
#pragma once
#include <cstdint>
#include <string>

#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters::ipfix {

class MessageFile final : public MessageTransport {
public:
    // "-" is standard output. `append`: go on in a file that exists.
    MessageFile(std::string path, bool append) : path_(std::move(path)), append_(append) {}
    ~MessageFile() override { close(); }

    // After a failure the file is continued behind its last whole message.
    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> message, Clock::time_point deadline) override;
    Status check() override { return ok(); }
    void close() noexcept override;
    std::string description() const override { return path_ == "-" ? "standard output" : path_; }

private:
    Status open_descriptor();
    Error failure(std::string_view what, int code) const;

    const std::string path_;
    const bool append_;
    int descriptor_ = -1;
    bool is_regular_ = false, opened_ = false, reader_gone_ = false;
    std::int64_t whole_ = 0;  // octets of whole messages
    std::size_t sent_ = 0;    // octets of the message under way
};

}  // namespace nfstreamd::exporters::ipfix
