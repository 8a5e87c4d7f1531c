// SPDX-License-Identifier: Apache-2.0
#include "exporters/message_exporter.hpp"

#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kSendSize = 256 * 1024;

}  // namespace

MessageExporter::MessageExporter(std::unique_ptr<Encoder> encoder, std::unique_ptr<Transport> transport)
    : encoder_(std::move(encoder)), transport_(std::move(transport)) {
    encoder_->preamble(preamble_);
}

Status MessageExporter::open() {
    auto status = note(transport_->open(preamble_));
    if (status) {
        counters_.connects.add();
        counters_.up.set(1);
    }
    return status;
}

Status MessageExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    for (consumed = from; consumed < batch.records.size();) {
        encode_some(batch, consumed);
        std::size_t sent = 0;
        auto status = transport_->send(text_, ends_, sent);
        taken_ += sent;
        status = note(std::move(status));
        consumed += sent;
        if (!status) return status;
    }
    return ok();
}

void MessageExporter::encode_some(const RecordBatch& batch, std::size_t from) {
    text_.clear();
    ends_.clear();
    for (std::size_t i = from; i < batch.records.size() && text_.size() < kSendSize; ++i) {
        encoder_->encode(batch.records[i], text_);
        ends_.push_back(text_.size());
    }
}

Status MessageExporter::flush() {
    return note(transport_->flush());
}

void MessageExporter::close() noexcept {
    transport_->close();
    const std::uint64_t lost = transport_->held();
    counters_.dropped_failed.add(lost);
    taken_ -= lost;
    count(taken_);
    counters_.up.set(0);
}

void MessageExporter::count(std::uint64_t out) {
    counters_.records.set(out);
    counters_.data_records.set(out);
    counters_.messages.set(out);
    counters_.octets.set(transport_->octets());
}

Status MessageExporter::note(Status status) {
    count(taken_ - transport_->held());
    if (!status && status.error().code != ErrorCode::kBusy) {
        counters_.failures.add();
        counters_.up.set(0);
    }
    return status;
}

}  // namespace nfstreamd::exporters
