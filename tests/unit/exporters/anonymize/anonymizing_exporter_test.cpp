// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/anonymizing_exporter.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/recording_exporter.hpp"
#include "tests/unit/exporters/anonymize/identifying_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

// Takes `at_once` records of a call and is busy then; keeps what it saw.
class Slow final : public Exporter {
public:
    Status open() override { return opened = true, ok(); }
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override {
        batches.push_back(batch.records.size());
        blocks.push_back(batch.records.back().application);
        for (consumed = from; consumed < batch.records.size() && consumed < from + at_once; ++consumed) {
            ids.push_back(batch.records[consumed].id);
            sources.push_back(to_string(batch.records[consumed].source_address));
        }
        if (consumed < batch.records.size()) return Error{ErrorCode::kBusy, "slow", ""};
        return ok();
    }
    Status pause() override { return ++pauses, ok(); }
    Status flush() override { return ++flushes, ok(); }
    void close() noexcept override { closed = true; }
    void set_patience(std::chrono::milliseconds given) override { patience = given; }
    std::size_t unconfirmed() override { return 17; }
    void forget_unconfirmed() override { forgotten = true; }
    void note_losses(const LossTotals& told) override { losses = told; }
    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::string description() const override { return "slow"; }

    std::size_t at_once = 1000;
    std::vector<std::size_t> batches;
    std::vector<const void*> blocks;
    std::vector<std::uint64_t> ids;
    std::vector<std::string> sources;
    bool opened = false, closed = false, forgotten = false;
    int pauses = 0, flushes = 0;
    std::chrono::milliseconds patience{0};
    LossTotals losses;

private:
    ExporterCounters counters_;
};

struct Wrapped {
    Slow* inner;
    std::unique_ptr<Exporter> exporter;
};

Wrapped wrap() {
    AnonymizationOptions options;
    options.addresses = AddressMethod::kTruncate;
    options.texts = TextMethod::kDrop;
    auto slow = std::make_unique<Slow>();
    Slow* inner = slow.get();
    auto made = anonymized(std::move(slow), options);
    REQUIRE(made);
    return {inner, std::move(made.value())};
}

RecordBatch batch_of(std::uint64_t first_id, std::size_t count) {
    RecordBatch batch;
    for (std::size_t i = 0; i < count; ++i) test::add_identifying(batch, first_id + i);
    return batch;
}

}  // namespace

TEST_CASE("AnonymizingExporter: records keep their order and indices, and what is left of a batch is not made again") {
    auto [inner, exporter] = wrap();
    inner->at_once = 2;
    const RecordBatch batch = batch_of(100, 5);
    std::size_t consumed = 0;
    const auto first = exporter->write(batch, 0, consumed);
    REQUIRE_FALSE(first);
    CHECK(first.error().code == ErrorCode::kBusy);
    CHECK(consumed == 2);
    REQUIRE_FALSE(exporter->write(batch, consumed, consumed));
    CHECK(consumed == 4);
    REQUIRE(exporter->write(batch, consumed, consumed));
    CHECK(inner->ids == std::vector<std::uint64_t>{100, 101, 102, 103, 104});
    CHECK(inner->sources == std::vector<std::string>(5, "192.0.2.0"));
    CHECK(inner->blocks[0] == inner->blocks[1]);
    CHECK(inner->blocks[1] == inner->blocks[2]);
    CHECK(to_string(batch.records[0].source_address) == "192.0.2.130");
}

TEST_CASE("AnonymizingExporter: another batch in the room of one that was given up is copied anew") {
    auto [inner, exporter] = wrap();
    inner->at_once = 2;
    RecordBatch batch = batch_of(100, 5);
    std::size_t consumed = 0;
    REQUIRE_FALSE(exporter->write(batch, 0, consumed));
    for (std::size_t i = 0; i < 5; ++i) {
        batch.records[i].id = 200 + i;
        batch.records[i].source_address = test::ip("203.0.113.9");
    }
    REQUIRE_FALSE(exporter->write(batch, 2, consumed));
    CHECK(inner->ids == std::vector<std::uint64_t>{100, 101, 202, 203});
    CHECK(inner->sources[2] == "203.0.113.0");
}

TEST_CASE("AnonymizingExporter: all other calls reach the exporter") {
    auto [inner, exporter] = wrap();
    CHECK(exporter->open());
    CHECK(exporter->pause());
    CHECK(exporter->flush());
    exporter->set_patience(std::chrono::milliseconds(5));
    CHECK(exporter->unconfirmed() == 17);
    exporter->forget_unconfirmed();
    exporter->note_losses({.records = 3});
    CHECK(exporter->description() == "slow");
    CHECK(&exporter->counters() == &inner->counters());
    exporter->close();
    CHECK(inner->opened);
    CHECK(inner->pauses == 1);
    CHECK(inner->flushes == 1);
    CHECK(inner->patience.count() == 5);
    CHECK(inner->forgotten);
    CHECK(inner->losses.records == 3);
    CHECK(inner->closed);
}

TEST_CASE("anonymized: with nothing to hide it is the exporter itself") {
    auto slow = std::make_unique<Slow>();
    const Exporter* inner = slow.get();
    auto made = anonymized(std::move(slow), AnonymizationOptions{});
    REQUIRE(made);
    CHECK(made.value().get() == inner);
}
