// SPDX-License-Identifier: Apache-2.0
// An exporter for formats in which each record is a message of its own: any
// Encoder with any Transport. Buffers nothing itself; a record counts when the
// transport has its message out. Belongs to the thread of its exporter.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/export/exporter.hpp"
#include "exporters/encode/encoder.hpp"
#include "exporters/transport/transport.hpp"

namespace nfstreamd::exporters {

class MessageExporter final : public Exporter {
public:
    MessageExporter(std::unique_ptr<Encoder> encoder, std::unique_ptr<Transport> transport);

    Status open() override;
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override;
    Status flush() override;
    void close() noexcept override;

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::string description() const override { return transport_->description(); }

private:
    void encode_some(const RecordBatch& batch, std::size_t from);
    Status note(Status status);
    void count(std::uint64_t out);

    const std::unique_ptr<Encoder> encoder_;
    const std::unique_ptr<Transport> transport_;
    ExporterCounters counters_;
    std::uint64_t taken_ = 0;  // records whose messages the transport has taken
    std::string preamble_, text_;
    std::vector<std::size_t> ends_;  // of the messages in text_
};

}  // namespace nfstreamd::exporters
