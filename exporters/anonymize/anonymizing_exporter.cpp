// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/anonymizing_exporter.hpp"

#include <utility>

namespace nfstreamd::exporters {

AnonymizingExporter::AnonymizingExporter(std::unique_ptr<Exporter> exporter,
                                         std::unique_ptr<RecordAnonymizer> anonymizer)
    : exporter_(std::move(exporter)), anonymizer_(std::move(anonymizer)) {}

// A slow receiver is handed the same batch many times: what is left of it has
// been copied.
Status AnonymizingExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    const auto origin = [&](std::size_t at) {
        return at < batch.records.size()
                   ? std::optional<Origin>({&batch, at, batch.records.size(), batch.records[at].id})
                   : std::nullopt;
    };
    if (!copied_ || copied_ != origin(from)) copy(batch, from);
    const Status status = exporter_->write(copy_, from, consumed);
    copied_ = status ? std::nullopt : origin(consumed);
    return status;
}

void AnonymizingExporter::copy(const RecordBatch& batch, std::size_t from) {
    copy_.arena = {};
    copy_.records.resize(batch.records.size());
    for (std::size_t i = from; i < batch.records.size(); ++i) {
        copy_.records[i] = batch.records[i];
        anonymizer_->anonymize(copy_.records[i], copy_.arena);
    }
}

Result<std::unique_ptr<Exporter>> anonymized(std::unique_ptr<Exporter> exporter, const AnonymizationOptions& options) {
    if (!options.on()) return exporter;
    auto anonymizer = RecordAnonymizer::make(options);
    if (!anonymizer) return anonymizer.error();
    return std::unique_ptr<Exporter>(
        std::make_unique<AnonymizingExporter>(std::move(exporter), std::move(anonymizer.value())));
}

}  // namespace nfstreamd::exporters
