// SPDX-License-Identifier: Apache-2.0
// IPFIX messages one after the other in a file (RFC 5655) or on standard output.
// No buffer of its own: many messages come in one call. Belongs to the thread of
// its exporter.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/output_file.hpp"

namespace nfstreamd::exporters::ipfix {

class MessageFile final : public MessageTransport {
public:
    // "-" is standard output. `append`: go on in a file that exists.
    MessageFile(std::string path, bool append) : file_(std::move(path)), append_(append) {}
    ~MessageFile() override { close(); }

    // After a failure the file is continued behind its last whole message.
    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override { return ok(); }
    void close() noexcept override;
    std::string description() const override { return file_.description(); }

private:
    void take_back() noexcept;

    OutputFile file_;
    const bool append_;
    bool opened_ = false;
    std::size_t sent_ = 0;  // octets that are out of the first message to send
};

}  // namespace nfstreamd::exporters::ipfix
