// SPDX-License-Identifier: Apache-2.0
// Any exporter, given anonymised copies of the records: those of a batch keep
// their order and their indices. Counters are those of the wrapped exporter.
// Belongs to the thread of its exporter.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/export/exporter.hpp"
#include "exporters/anonymize/record_anonymizer.hpp"

namespace nfstreamd::exporters {

class AnonymizingExporter final : public Exporter {
public:
    AnonymizingExporter(std::unique_ptr<Exporter> exporter, std::unique_ptr<RecordAnonymizer> anonymizer);

    Status open() override { return exporter_->open(); }
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override;
    Status pause() override { return exporter_->pause(); }
    Status flush() override { return exporter_->flush(); }
    void close() noexcept override { exporter_->close(); }

    void set_patience(std::chrono::milliseconds patience) override { exporter_->set_patience(patience); }
    std::size_t unconfirmed() override { return exporter_->unconfirmed(); }
    void forget_unconfirmed() override { exporter_->forget_unconfirmed(); }
    bool repeat_announcement() override { return exporter_->repeat_announcement(); }
    Status conclude() override { return exporter_->conclude(); }
    void note_losses(const LossTotals& losses) override { exporter_->note_losses(losses); }

    const ExporterCounters& counters() const noexcept override { return exporter_->counters(); }
    std::string description() const override { return exporter_->description(); }
    std::vector<CollectorView> collectors() const override { return exporter_->collectors(); }

private:
    struct Origin {  // where the copy goes on, when the rest of its batch comes
        const RecordBatch* batch;
        std::size_t from, records;
        std::uint64_t id;  // of the record there
        friend bool operator==(const Origin&, const Origin&) = default;
    };
    void copy(const RecordBatch& batch, std::size_t from);

    const std::unique_ptr<Exporter> exporter_;
    const std::unique_ptr<RecordAnonymizer> anonymizer_;
    RecordBatch copy_;
    std::optional<Origin> copied_;  // none: what is in copy_ has been taken
};

// The exporter itself when there is nothing to hide.
Result<std::unique_ptr<Exporter>> anonymized(std::unique_ptr<Exporter> exporter, const AnonymizationOptions& options);

}  // namespace nfstreamd::exporters
